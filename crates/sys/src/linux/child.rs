//! Tests in a process of their own: those that die, or that count what the whole process has.

/// Runs `body` in a process of its own, on its main thread: the test `name` is started again there, with only itself to run. Fails
/// when the child does, with its output.
pub(crate) fn in_child(name: &str, body: impl FnOnce()) {
    let output = match run_child(name) {
        None => return body(),
        Some(output) => output,
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}: {text}", output.status);
    assert!(text.contains("1 passed"), "no such test: {name}");
}

/// Runs the test `name` in a process of its own and returns how it ended; `None` in that process.
pub(crate) fn run_child(name: &str) -> Option<std::process::Output> {
    const MARK: &str = "UPSHIFT_SYS_TEST_CHILD";
    if std::env::var_os(MARK).is_some() {
        return None;
    }
    let program = std::env::current_exe().unwrap();
    let arguments = [name, "--exact", "--nocapture", "--test-threads=1"];
    let mut command = std::process::Command::new(program);
    Some(command.args(arguments).env(MARK, "1").output().unwrap())
}
