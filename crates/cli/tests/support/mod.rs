//! Runs the command, and says what is wrong when it does something else than expected.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A file that lives as long as its test.
pub struct File {
    path: PathBuf,
}

impl File {
    pub fn new(name: &str, text: &str) -> File {
        let path = std::env::temp_dir().join(format!("upshift-{}-{name}", std::process::id()));
        fs::write(&path, text).expect("a temporary file");
        File { path }
    }

    pub fn path(&self) -> &str {
        self.path.to_str().expect("a path in UTF-8")
    }

    /// What is in it now.
    pub fn text(&self) -> String {
        fs::read_to_string(&self.path).expect("the file")
    }

    /// The same, as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text()).unwrap_or_else(|error| panic!("{}: {error}", self.path()))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// What a run of the command gave.
pub struct Run {
    args: String,
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the command with nothing on its standard input.
pub fn upshift(args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_upshift")).args(args).stdin(Stdio::null()).output();
    Run::new(args, &output.expect("the command runs"))
}

/// Runs the command with these bytes on its standard input, which ends after them, or else goes on until the command has
/// seen enough.
pub fn upshift_fed(args: &[&str], input: &[u8], ends: bool) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_upshift"));
    let command = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    // What nobody reads any more cannot be written.
    let mut written = pipe.write_all(input);
    while !ends && written.is_ok() {
        written = pipe.write_all(&[0; 4096]);
    }
    drop(pipe);
    Run::new(args, &child.wait_with_output().expect("the command ends"))
}

impl Run {
    fn new(args: &[&str], output: &Output) -> Run {
        Run {
            args: args.join(" "),
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Run {
        let holds = self.code == Some(code);
        self.check(holds, &format!("exit code {code}"))
    }

    #[track_caller]
    pub fn out(self, out: &str) -> Run {
        let holds = self.out == out;
        self.check(holds, &format!("output {out:?}"))
    }

    #[track_caller]
    pub fn err(self, err: &str) -> Run {
        let holds = self.err == err;
        self.check(holds, &format!("errors {err:?}"))
    }

    #[track_caller]
    pub fn out_has(self, part: &str) -> Run {
        let holds = self.out.contains(part);
        self.check(holds, &format!("`{part}` in the output"))
    }

    #[track_caller]
    pub fn err_has(self, part: &str) -> Run {
        let holds = self.err.contains(part);
        self.check(holds, &format!("`{part}` in the errors"))
    }

    #[track_caller]
    pub fn err_lacks(self, part: &str) -> Run {
        let holds = !self.err.contains(part);
        self.check(holds, &format!("no `{part}` in the errors"))
    }

    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("`{}`: {error}: {}", self.args, self.out))
    }

    #[track_caller]
    fn check(self, holds: bool, expected: &str) -> Run {
        let Run { args, code, out, err } = &self;
        assert!(holds, "`upshift {args}`: expected {expected}\nexit code {code:?}\noutput: {out}\nerrors: {err}");
        self
    }
}
