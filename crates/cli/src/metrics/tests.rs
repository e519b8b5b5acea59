//! JSON has every metric, and memory by kind.

use upshift::Module;

use super::*;

#[test]
fn json_has_all_metrics() {
    let engine = Engine::default();
    let module = Module::new(&engine, "(module (func))").unwrap();
    module.compile_all().unwrap();
    let mut out = Vec::new();
    write_json(&mut out, &engine.metrics(), &engine.memory_usage()).unwrap();
    let all: Value = serde_json::from_slice(&out).unwrap();
    let metrics = all["metrics"].as_array().unwrap();
    assert_eq!(metrics.len(), engine.metrics().iter().len());
    let found =
        metrics.iter().find(|entry| entry["name"] == "function_compile_time" && entry["label"]["tier"] == "baseline");
    let found = found.unwrap();
    assert_eq!((found["count"].as_u64(), found["unit"].as_str()), (Some(1), Some("seconds")));
    assert!(found["p99"].as_u64().unwrap() <= found["max"].as_u64().unwrap());
    assert!(all["memory"]["code"].as_u64().unwrap() > 0);
}
