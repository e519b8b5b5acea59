//! What an engine counts of the resources that its stores ask for, and of code that it frees.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use upshift::{
    Config, Engine, Instance, Memory, MemoryType, MetricValue, Module, Store, StoreLimitsBuilder, StreamingCompilation,
    TypedFunc,
};

use crate::child;

/// The value of a counter or gauge.
#[track_caller]
fn number(engine: &Engine, name: &str, label: Option<&str>) -> u64 {
    match engine.metrics().get(name, label) {
        Some(MetricValue::Counter(number) | MetricValue::Gauge(number)) => *number,
        other => panic!("{name} {label:?} is {other:?}"),
    }
}

/// Memories made, by how they were got: reused, guarded, checked, unguarded; and not made: by a limit, by the system.
fn memories(engine: &Engine) -> [u64; 6] {
    let made = |how| number(engine, "memories_made", Some(how));
    let failed = |why| number(engine, "memories_failed", Some(why));
    [made("reused"), made("guarded"), made("checked"), made("unguarded"), failed("limit"), failed("system")]
}

#[test]
fn memories_are_counted_by_how_they_were_got() {
    child::within("resources::metrics::memories_are_counted_by_how_they_were_got", || {
        let engine = Engine::default();
        let memory = |min, max| Memory::new(&mut Store::new(&engine, ()), MemoryType::new(min, max));
        memory(1, None).unwrap();
        assert_eq!(memories(&engine), [0, 1, 0, 0, 0, 0]);
        // The first one's range is used again; a memory with a small maximum needs none of its size.
        memory(1, None).unwrap();
        memory(1, Some(2)).unwrap();
        assert_eq!(memories(&engine), [1, 1, 1, 0, 0, 0]);
        let mut limited = Store::new(&engine, StoreLimitsBuilder::new().memory_size(1 << 16).build());
        limited.limiter(|limits| limits);
        Memory::new(&mut limited, MemoryType::new(2, None)).unwrap_err();
        assert_eq!(memories(&engine), [1, 1, 1, 0, 1, 0]);
        // Without address space for another guarded one there are checks; without any there is no memory.
        let limit = |bytes: u64| {
            let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
            let taken = pages.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096;
            let rest = getrlimit(Resource::As);
            setrlimit(Resource::As, Rlimit { current: Some(taken + bytes), ..rest }).unwrap();
        };
        limit(1 << 30);
        memory(2, None).unwrap();
        memory(20_000, None).unwrap_err();
        assert_eq!(memories(&engine), [1, 1, 1, 1, 1, 1]);
    });
}

#[test]
fn growth_is_counted() {
    let engine = Engine::default();
    let text = r#"(module (memory 1 3) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &Module::new(&engine, text).unwrap(), &[]).unwrap();
    let grow: TypedFunc<i32, i32> = instance.get_typed_func(&mut store, "grow").unwrap();
    let grown: Vec<i32> = [0, 1, 2, 1].map(|pages| grow.call(&mut store, pages).unwrap()).into();
    assert_eq!(grown, [1, 1, -1, 2]);
    let growths = ["grown", "refused", "failed"].map(|result| number(&engine, "memory_growths", Some(result)));
    // Nothing asked, nothing counted.
    assert_eq!(growths, [2, 1, 0]);
}

#[test]
fn code_that_is_freed_is_a_share_of_all() {
    let engine = Engine::new(Config::new().threads(1)).unwrap();
    let (kept, freed) = ("(module (func) (func) (func))", "(module (func) (func))");
    let [kept, freed] = [kept, freed].map(|text| Module::new(&engine, text).unwrap());
    kept.compile_all().unwrap();
    freed.compile_all().unwrap();
    freed.flush_code();
    let metrics = engine.metrics();
    let share = metrics.histogram("code_collection_freed", None).unwrap();
    // Five functions of one size, two of which went.
    assert_eq!((share.count(), share.sum()), (1, 40));
    assert_eq!(number(&engine, "functions_flushed", None), 2);
    assert_eq!(number(&engine, "functions_flushed_size", None), number(&engine, "code_freed_size", None));
    engine.collect_code();
    assert_eq!(engine.metrics().histogram("code_collection_freed", None).unwrap().count(), 2);
    assert!(kept.statistics().code_bytes > 0);
}

#[test]
fn the_end_of_a_stream_is_timed_apart_from_its_bytes() {
    let engine = Engine::default();
    let bytes = wat::parse_str("(module (func))").unwrap();
    let stream = || {
        let mut stream = StreamingCompilation::new(&engine);
        stream.push(&bytes).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        stream.finish().unwrap()
    };
    let (first, second) = (stream(), stream());
    assert_eq!(first.number(), second.number(), "it is in the cache");
    let metrics = engine.metrics();
    let finish = metrics.histogram("stream_finish_time", None).unwrap();
    assert_eq!(finish.count(), 2);
    assert!(metrics.histogram("decode_time", None).unwrap().max() >= 30_000_000, "with the wait for bytes");
    assert!(finish.max() < metrics.histogram("decode_time", None).unwrap().max());
}
