//! What is written for `perf` is what the formats say, and what the code is.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use upshift::{CodeListener, Config, Engine, JitDump, Module, PerfMap, Store};

use super::{MODULE, call, instantiate};

/// A directory of a test's own: a process has one file in each.
fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("upshift-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// A module two of whose functions were called.
fn run(listener: Arc<dyn CodeListener>) -> Module {
    let mut config = Config::new();
    let engine = Engine::new(config.code_listener(Some(listener)).tier(upshift::TierChoice::Baseline)).unwrap();
    let module = Module::new(&engine, MODULE).unwrap().with_source_url("https://example.org/m.wasm");
    let mut store = Store::new(&engine, ());
    let instance = instantiate(&mut store, &module);
    assert_eq!(call(&mut store, instance, "second"), 2);
    module
}

#[test]
fn a_perf_map_has_a_line_for_each_code() {
    let directory = directory("map");
    let map = PerfMap::open_in(&directory).unwrap();
    let again = PerfMap::open_in(&directory).unwrap();
    assert!(Arc::ptr_eq(&map, &again), "a process has one");
    let module = run(map.clone());
    let text = std::fs::read_to_string(map.path()).unwrap();
    let lines: HashMap<&str, (usize, usize)> = text
        .lines()
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let mut number = || usize::from_str_radix(words.next().unwrap(), 16).unwrap();
            let place = (number(), number());
            (words.next().unwrap(), place)
        })
        .collect();
    for (index, name) in [(1, "first [baseline]"), (2, "second [baseline]")] {
        let code = module.code(index).unwrap();
        assert_eq!(lines[name], (code.address, code.bytes.len()));
    }
    assert!(lines.contains_key("wasm-entry-stub"), "{text}");
    assert_eq!(map.error(), None);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn an_unwritable_directory_is_an_error() {
    let missing = std::path::Path::new("/nonexistent/upshift");
    assert!(PerfMap::open_in(missing).is_err() && JitDump::open_in(missing).is_err());
}

/// Reads fields of a jitdump.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn u32(&mut self) -> u32 {
        let (head, tail) = self.0.split_first_chunk().unwrap();
        self.0 = tail;
        u32::from_ne_bytes(*head)
    }

    fn u64(&mut self) -> u64 {
        let (head, tail) = self.0.split_first_chunk().unwrap();
        self.0 = tail;
        u64::from_ne_bytes(*head)
    }

    fn text(&mut self) -> Vec<u8> {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap();
        let text = self.0[..end].to_vec();
        self.0 = &self.0[end + 1..];
        text
    }
}

/// A piece of code in a jitdump.
#[derive(Debug, Default)]
struct Loaded {
    address: u64,
    bytes: Vec<u8>,
    /// Offset in the code, line, file.
    lines: Vec<(u32, u32, String)>,
}

/// The code in a jitdump, by name. Checks all else that the format says.
fn parse(dump: &[u8]) -> HashMap<String, Loaded> {
    let mut header = Reader(dump);
    let fields: Vec<u32> = (0..6).map(|_| header.u32()).collect();
    assert_eq!(fields, [0x4a69_5444, 1, 40, 62, 0, std::process::id()]);
    let mut last_time = header.u64();
    assert_eq!(header.u64(), 0);
    let mut all = HashMap::new();
    let (mut rest, mut lines, mut count) = (header.0, Vec::<(u64, u64, u32, String)>::new(), 0);
    loop {
        let mut record = Reader(rest);
        let (kind, len, time) = (record.u32(), record.u32() as usize, record.u64());
        assert!(time >= last_time);
        last_time = time;
        let mut body = Reader(&rest[16..len]);
        rest = &rest[len..];
        match kind {
            0 => {
                assert_eq!(body.u32(), std::process::id());
                assert!(body.u32() > 0);
                let (address, again, size, index) = (body.u64(), body.u64(), body.u64(), body.u64());
                assert_eq!((address, index), (again, count));
                count += 1;
                let name = String::from_utf8(body.text()).unwrap();
                assert_eq!(body.0.len() as u64, size);
                let base: Option<u64> = lines.first().map(|&(base, ..)| base);
                assert!(base.is_none_or(|base| base == address), "debug information is of the code behind it");
                let lines = lines.drain(..).map(|(_, at, line, file)| ((at - address) as u32, line, file)).collect();
                all.insert(name, Loaded { address, bytes: body.0.to_vec(), lines });
            }
            2 => {
                let (address, entries) = (body.u64(), body.u64());
                let mut file = String::new();
                for _ in 0..entries {
                    let (at, line, discriminator) = (body.u64(), body.u32(), body.u32());
                    assert_eq!(discriminator, 0);
                    match body.text() {
                        same if same == [0xff] => assert!(!file.is_empty()),
                        name => file = String::from_utf8(name).unwrap(),
                    }
                    lines.push((address, at, line, file.clone()));
                }
                assert!(body.0.is_empty());
            }
            3 => {
                assert!(rest.is_empty() && lines.is_empty());
                return all;
            }
            kind => panic!("a record of kind {kind}"),
        }
    }
}

#[test]
fn a_jitdump_has_code_names_and_lines() {
    let directory = directory("dump");
    let dump = JitDump::open_in(&directory).unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mapped = maps.lines().find(|line| line.ends_with(dump.path().to_str().unwrap())).unwrap();
    assert!(mapped.contains("r-xp"), "perf notices executable mappings: {mapped}");
    let module = run(dump.clone());
    dump.close();
    module.compile_all().unwrap();
    let all = parse(&std::fs::read(dump.path()).unwrap());
    for (index, name) in [(1, "first [baseline]"), (2, "second [baseline]")] {
        let (code, loaded) = (module.code(index).unwrap(), &all[name]);
        assert_eq!((loaded.address, &loaded.bytes), (code.address as u64, &code.bytes));
        let url = "https://example.org/m.wasm";
        let positions = code.positions.iter().filter_map(|&(at, offset)| Some((at, offset?, url.to_string())));
        // The URL was given after the engine was told of nothing yet: code is made at first calls.
        assert_eq!(loaded.lines, positions.collect::<Vec<_>>());
    }
    assert!(!all["second [baseline]"].lines.is_empty());
    assert!(all.contains_key("wasm-entry-stub"));
    assert!(!all.contains_key("hot [baseline]"), "it was closed before");
    assert_eq!(dump.error(), None);
    std::fs::remove_dir_all(directory).unwrap();
}
