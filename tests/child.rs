//! Tests in a process of their own: those that count what a whole process has, lower its limits, or die.

use std::env;
use std::process::{Command, Output};

const MARK: &str = "UPSHIFT_TEST_CHILD";

/// Has glibc give large allocations back as soon as they are freed, so that what a process has is what it needs.
const ALLOCATOR: [(&str, &str); 2] = [("MALLOC_MMAP_THRESHOLD_", "65536"), ("MALLOC_TRIM_THRESHOLD_", "65536")];

/// Runs the test `name` again in a new process, where it is the only one, and gives how that ended; none in that process.
pub fn run(name: &str) -> Option<Output> {
    if env::var(MARK).is_ok_and(|mark| mark == name) {
        return None;
    }
    let program = env::current_exe().expect("a running test has a file");
    let arguments = [name, "--exact", "--nocapture", "--test-threads=1"];
    Some(Command::new(program).args(arguments).envs(ALLOCATOR).env(MARK, name).output().expect("a new process"))
}

/// Runs the rest of the test `name` in a process of its own.
pub fn within(name: &str, body: impl FnOnce()) {
    let Some(output) = run(name) else { return body() };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{name}: {}\n{out}\n{err}", output.status);
}
