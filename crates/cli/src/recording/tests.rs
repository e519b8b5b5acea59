//! What is recorded, and what is said when it cannot be written.

use upshift::{Engine, Module};

use super::*;

const TEXT: &str = r#"(module (func $one (export "one")) (func $two (export "two") (result i32) (i32.const 2)))"#;

/// Compiles a small module by the baseline tier, and gives what was recorded to `look`.
pub(crate) fn recorded(text: &str, look: impl FnOnce(&Recorded<'_>)) {
    let log = Arc::new(EventLog::new(10_000));
    let mut config = Config::new();
    config.event_listener(Some(Arc::clone(&log) as Arc<dyn EventListener>));
    let zero = process::started();
    let module = Module::new(&Engine::new(&config).unwrap(), text).unwrap();
    module.compile_all().unwrap();
    let functions: Vec<FunctionInfo<'_>> = module.functions().collect();
    let events = log.take();
    let (main_thread, end) = (upshift::thread_number(), Instant::now());
    let spans = [Span { name: "wasm.Execute", start: zero, end }];
    let first_call = Some(Moment::now());
    look(&Recorded {
        events: &events,
        lost: 3,
        spans: &spans,
        functions: &functions,
        title: "</title><script>alert(1)</script>\"'&.wasm",
        options: "--tier auto",
        zero,
        end,
        main_thread,
        first_call,
    });
}

#[test]
fn stages_take_time() {
    let recording = Recording::start(&RecordingOptions::default(), true).unwrap();
    let mut config = Config::new();
    recording.listen(&mut config);
    let engine = Engine::new(&config).unwrap();
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
    let recording = Recording::start(&RecordingOptions::default(), false).unwrap();
    let mut config = Config::new();
    recording.listen(&mut config);
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::new()));
    assert_eq!(recording.span("x", || 7), 7);
    recording.write(None, "x", "").unwrap();
}

#[test]
fn files_that_cannot_be_are_errors_at_once() {
    let path = PathBuf::from("/no/such/folder/file");
    let options = RecordingOptions { trace: Some(path.clone()), timeline: None };
    let error = Recording::start(&options, false).unwrap_err();
    assert!(format!("{error:#}").starts_with("--trace /no/such/folder/file: cannot make the file: No such file"));
    let options = RecordingOptions { trace: Some(path.clone()), timeline: Some(path) };
    assert!(Recording::start(&options, false).unwrap_err().to_string().contains("its own file"));
}

#[test]
fn functions_are_found_by_their_index() {
    recorded(r#"(module (import "a" "b" (func)) (func $x) (func $y))"#, |recorded| {
        assert!(recorded.function(0).is_none());
        assert_eq!(recorded.function(1).unwrap().name, Some("x"));
        assert_eq!(recorded.function(2).unwrap().name, Some("y"));
        assert!(recorded.function(3).is_none());
    });
}
