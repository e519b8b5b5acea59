//! A trace is JSON whatever functions are called, and holds what happened.

use super::*;
use crate::recorded::tests::recorded;

/// A function whose name ends strings, elements and lines.
const HOSTILE: &str = r#"(module (func (@name "\"},{\\ \n\t\00\1b[31m</script>\e2\80\a8\f0\9f\92\a9")) (func $plain))"#;

fn trace(text: &str) -> Value {
    let mut out = Vec::new();
    recorded(text, |recorded| write(&mut out, recorded).unwrap());
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains('\u{1b}'));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_trace_is_json_with_spans_and_marks() {
    let trace = trace(HOSTILE);
    let events = trace["traceEvents"].as_array().unwrap();
    let named = |name: &str| events.iter().filter(|event| event["name"] == name).collect::<Vec<_>>();
    for name in ["wasm.Decode", "wasm.SyncCompile", "wasm.CompileBaseline", "wasm.Execute"] {
        let found = named(name);
        assert!(!found.is_empty(), "{name}");
        for event in found {
            assert_eq!((event["ph"].as_str(), event["pid"].as_u64()), (Some("X"), Some(1)));
            assert!(event["ts"].as_f64().unwrap() >= 0.0 && event["dur"].as_f64().unwrap() >= 0.0);
            assert!(event["tid"].as_u64().is_some());
        }
    }
    let compiled = named("wasm.CompileBaseline");
    assert_eq!(compiled.len(), 2);
    let hostile = compiled.iter().find(|event| event["args"]["index"] == 0).unwrap();
    assert_eq!(hostile["args"]["function"], "\"},{\\ \n\t\0\u{1b}[31m</script>\u{2028}\u{1f4a9}");
    assert_eq!(hostile["args"]["outcome"], "done");
    assert_eq!(hostile["args"]["tier"], "baseline");
    assert!(hostile["args"]["code_bytes"].as_u64().unwrap() > 0);
    assert!(hostile["args"].get("osr_offset").is_none());
    let published = named("wasm.Publish");
    assert_eq!(published.len(), 2);
    assert_eq!((published[0]["ph"].as_str(), published[0]["s"].as_str()), (Some("i"), Some("t")));
    assert_eq!(trace["otherData"]["lost_events"], 3);
    assert!(named("thread_name").iter().any(|event| event["args"]["name"] == "main"));
}

#[test]
fn a_module_without_functions_has_a_trace() {
    let trace = trace("(module)");
    assert!(trace["traceEvents"].as_array().unwrap().iter().any(|event| event["name"] == "wasm.SyncCompile"));
}

#[test]
fn writing_fails_where_the_file_does() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    recorded(HOSTILE, |recorded| {
        assert_eq!(write(&mut Full, recorded).unwrap_err().kind(), io::ErrorKind::StorageFull);
    });
}
