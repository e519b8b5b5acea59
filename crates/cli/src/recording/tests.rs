//! What is recorded, and what is said when it cannot be written.

use std::time::Duration;

use upshift::Module;

use super::*;

const TEXT: &str = r#"(module (func $one (export "one")) (func $two (export "two") (result i32) (i32.const 2)))"#;

#[test]
fn stages_take_time() {
    let recording = Recording::start(&RecordingOptions::default(), true, About::default()).unwrap();
    let engine = recording.engine(Config::new()).unwrap();
    Module::new(&engine, TEXT).unwrap();
    let stages = recording.stages();
    assert!(stages.decode > Duration::ZERO && stages.decode_wall > Duration::ZERO);
    assert_eq!(recording.first_call_at(), None);
    recording.first_call();
    let first = recording.first_call_at();
    recording.first_call();
    assert_eq!(recording.first_call_at(), first);
}

#[test]
fn nothing_asked_for_is_nothing_done() {
    let recording = Recording::start(&RecordingOptions::default(), false, About::default()).unwrap();
    assert!(recording.recorder.is_none());
    recording.engine(Config::new()).unwrap();
    assert_eq!(recording.span("x", || 7), 7);
    recording.write().unwrap();
    recording.write().unwrap();
}

#[test]
fn files_that_cannot_be_are_errors_at_once() {
    let path = PathBuf::from("/no/such/folder/file");
    let options = RecordingOptions { trace: Some(path.clone()), timeline: None, metrics: None, log: None };
    let error = Recording::start(&options, false, About::default()).unwrap_err();
    assert!(format!("{error:#}").starts_with("--trace /no/such/folder/file: cannot make the file: No such file"));
    let options = RecordingOptions { trace: Some(path.clone()), timeline: Some(path), metrics: None, log: None };
    assert!(Recording::start(&options, false, About::default()).unwrap_err().to_string().contains("its own file"));
}
