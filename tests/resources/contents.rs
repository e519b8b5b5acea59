//! Nothing of one instance's memory can be seen in another's.

use upshift::{Config, Engine, Instance, Memory, Module, Store};

fn engines() -> [Engine; 3] {
    let with = |change: fn(&mut Config) -> &mut Config| Engine::new(change(&mut Config::new())).unwrap();
    [Engine::default(), with(|config| config.guard_pages(false)), with(|config| config.memory_init_cow(false))]
}

/// The bytes that differ from zero, with their places.
fn written(bytes: &[u8]) -> Vec<(usize, u8)> {
    bytes.iter().copied().enumerate().filter(|&(_, byte)| byte != 0).collect()
}

fn instance(engine: &Engine, module: &Module) -> (Store<()>, Memory) {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    (store, memory)
}

const DATA: &str = r#"(module
    (memory (export "memory") 3 200)
    (data (i32.const 4095) "ab")
    (data (i32.const 70000) "c"))"#;

#[test]
fn a_new_memory_is_zero() {
    for engine in engines() {
        for limits in ["1", "1 1", "2 16", "i64 1 3", "1 1000"] {
            let module = Module::new(&engine, format!(r#"(module (memory (export "memory") {limits}))"#)).unwrap();
            for round in 0..20 {
                let (mut store, memory) = instance(&engine, &module);
                assert_eq!(written(memory.data(&store)), [], "{limits}, round {round}");
                memory.data_mut(&mut store).fill(0xaa);
                if let Ok(old) = memory.grow(&mut store, 1) {
                    let old = old as usize * 65536;
                    assert_eq!(written(&memory.data(&store)[old..]), [], "{limits}, round {round}");
                    memory.data_mut(&mut store).fill(0xbb);
                }
            }
        }
    }
}

#[test]
fn what_is_written_over_data_stays_in_the_instance() {
    let data = [(4095, b'a'), (4096, b'b'), (70000, b'c')];
    for engine in engines() {
        let module = Module::new(&engine, DATA).unwrap();
        let mut live: Vec<(Store<()>, Memory)> = (0..6).map(|_| instance(&engine, &module)).collect();
        for (number, (store, memory)) in live.iter_mut().enumerate() {
            assert_eq!(written(memory.data(&*store)), data, "instance {number}");
            memory.data_mut(&mut *store).fill(number as u8 + 1);
            memory.grow(&mut *store, 100).unwrap();
            assert_eq!(written(&memory.data(&*store)[3 << 16..]), []);
        }
        for (number, (store, memory)) in live.iter().enumerate() {
            assert!(memory.data(store)[..3 << 16].iter().all(|&byte| byte == number as u8 + 1));
        }
        drop(live);
        for round in 0..20 {
            let (mut store, memory) = instance(&engine, &module);
            assert_eq!(written(memory.data(&store)), data, "round {round}");
            memory.data_mut(&mut store).fill(9);
        }
    }
}

#[test]
fn modules_of_the_same_shape_have_their_own_data() {
    for engine in engines() {
        let modules: Vec<Module> = (0..4)
            .map(|number| Module::new(&engine, DATA.replace("ab", &format!("{number}{number}"))).unwrap())
            .collect();
        for round in 0..12 {
            let number = round % 4;
            let (mut store, memory) = instance(&engine, &modules[number]);
            let digit = b'0' + number as u8;
            assert_eq!(written(memory.data(&store)), [(4095, digit), (4096, digit), (70000, b'c')], "round {round}");
            memory.data_mut(&mut store)[1 << 16..].fill(9);
        }
    }
}
