//! Which of several faults is the one reported, and that nothing has happened before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use upshift::{
    Engine, Error, Extern, Func, Instance, LinkError, LinkErrorKind, Linker, Memory, MemoryType, Module,
    ResourceLimiter, Result, Store, UsageError, UsageErrorKind,
};

/// Counts what it is asked.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl Counting {
    fn asked(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl ResourceLimiter for Counting {
    fn memory_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        self.count();
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        self.count();
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.count();
        10
    }

    fn memories(&self) -> usize {
        self.count();
        10
    }

    fn tables(&self) -> usize {
        self.count();
        10
    }
}

/// A module that also makes a memory and a table, and starts.
fn module(engine: &Engine, imports: &str) -> Module {
    let text = format!("(module {imports} (memory 1) (table 1 funcref) (func $start unreachable) (start $start))");
    Module::new(engine, text).expect("a valid module")
}

#[track_caller]
fn link_error(error: &Error) -> (usize, LinkErrorKind) {
    let fault = error.downcast_ref::<LinkError>().unwrap_or_else(|| panic!("{error:?}"));
    (fault.import_index(), fault.kind())
}

#[test]
fn a_linker_takes_imports_in_order() {
    use LinkErrorKind::{UnknownImport, UnknownModule, WrongFunction, WrongKind, WrongMemory};
    let engine = Engine::default();
    let mut store = Store::new(&engine, Counting::default());
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    let func = Func::wrap(&mut store, |_: i32| {});
    let mut linker = Linker::new(&engine);
    linker.func_wrap("m", "host", || {}).unwrap();
    linker.define(&store, "m", "func", func).unwrap();
    linker.define(&store, "m", "memory", memory).unwrap();
    let limiter = store.data().clone();
    store.limiter(|limiter| limiter);
    let fine = r#"(import "m" "host" (func))"#;
    let wrong_host = r#"(import "m" "host" (func (param i32)))"#;
    let wrong_func = r#"(import "m" "func" (func))"#;
    let wrong_memory = r#"(import "m" "memory" (memory 2))"#;
    let wrong_kind = r#"(import "m" "memory" (func))"#;
    let unknown = r#"(import "m" "none" (func))"#;
    let unknown_module = r#"(import "n" "none" (func))"#;
    let faults = [
        (wrong_host, WrongFunction),
        (wrong_func, WrongFunction),
        (wrong_memory, WrongMemory),
        (wrong_kind, WrongKind),
        (unknown, UnknownImport),
        (unknown_module, UnknownModule),
    ];
    for (first, kind) in faults {
        for (second, _) in faults {
            let module = module(&engine, &[fine, first, second].concat());
            let error = linker.instantiate(&mut store, &module).unwrap_err();
            assert_eq!(link_error(&error), (1, kind), "{error}");
            // Without a store, items of stores are left for later.
            let is_left = [WrongMemory, WrongKind].contains(&kind) || first == wrong_func;
            if !is_left {
                let error = linker.instantiate_pre(&module).unwrap_err();
                assert_eq!(link_error(&error), (1, kind), "{error}");
            }
        }
    }
    assert_eq!(limiter.asked(), 0, "nothing was made");
    let error = linker.instantiate(&mut store, &module(&engine, fine)).unwrap_err();
    assert!(error.is::<upshift::Trap>() && limiter.asked() > 0, "{error:?}");
}

#[test]
fn an_instance_takes_imports_in_order() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Counting::default());
    let (memory, func) =
        (Memory::new(&mut store, MemoryType::new(1, None)).unwrap(), Func::wrap(&mut store, |_: i32| {}));
    let limiter = store.data().clone();
    store.limiter(|limiter| limiter);
    let items: [Extern; 3] = [func.into(), memory.into(), func.into()];
    let mut check = |imports: &str| {
        let error = Instance::new(&mut store, &module(&engine, imports), &items).unwrap_err();
        assert_eq!(limiter.asked(), 0, "nothing was made");
        error
    };
    let imports = r#"(import "" "" (func (param i32))) (import "" "" (memory 2)) (import "" "" (memory 1))"#;
    assert_eq!(link_error(&check(imports)), (1, LinkErrorKind::WrongMemory));
    let imports = r#"(import "" "" (func (param i32))) (import "" "" (memory 1)) (import "" "" (memory 1))"#;
    assert_eq!(link_error(&check(imports)), (2, LinkErrorKind::WrongKind));
    // How many there are comes first: such a call cannot mean what it says.
    let imports = r#"(import "" "" (func)) (import "" "" (func)) (import "" "" (func)) (import "a" "b" (func))"#;
    let error = check(imports);
    assert_eq!(error.downcast_ref::<UsageError>().unwrap().kind(), UsageErrorKind::ImportCount);
    assert!(error.to_string().ends_with("the first that is missing is `a::b` (function () -> ())"), "{error}");
    assert_eq!(check("").to_string(), "wrong number of imports: the module has 0, given 3");
}
