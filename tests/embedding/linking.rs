//! Imports that are missing or of another type: the message says module, name, expected and given type.

use upshift::{
    Engine, Func, Global, GlobalType, Instance, LinkError, Linker, Memory, MemoryType, Module, Mutability, Ref,
    RefType, Store, Table, TableType, UnknownImportError, Val, ValType,
};

#[test]
fn a_missing_import_is_named() {
    let engine = Engine::default();
    let module = Module::new(&engine, r#"(module (import "env" "now" (func (param i32) (result i64))))"#).unwrap();
    let error = Linker::new(&engine).instantiate(Store::new(&engine, ()), &module).unwrap_err();
    let text = error.to_string();
    for part in ["env", "now", "i32", "i64"] {
        assert!(text.contains(part), "{text}");
    }
    let unknown = error.downcast_ref::<UnknownImportError>().unwrap();
    assert_eq!((unknown.module(), unknown.name()), ("env", "now"));
    let error = Instance::new(Store::new(&engine, ()), &module, &[]).unwrap_err();
    let text = "wrong number of imports: the module has 1, given 0; the first that is missing is `env::now` (function (i32) -> \
        (i64))";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_mistyped_import_says_both_types() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let func = Func::wrap(&mut store, |n: i32| i64::from(n));
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(3))).unwrap();
    let wide = Memory::new(&mut store, MemoryType::new64(1, None)).unwrap();
    let table = Table::new(&mut store, TableType::new(RefType::FUNCREF, 5, None), Ref::Func(None)).unwrap();
    let global = Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(1)).unwrap();
    let cases = [
        ("func (param i64) (result i64)", func.into(), "(i64) -> (i64)", "(i32) -> (i64)"),
        ("func", memory.into(), "function", "memory of 1..=3 pages"),
        ("memory 2 3", memory.into(), "memory of 2..=3 pages", "memory of 1..=3 pages"),
        ("memory 1 2", memory.into(), "memory of 1..=2 pages", "memory of 1..=3 pages"),
        ("memory 1", wide.into(), "memory of 1.. pages", "64-bit memory of 1.. pages"),
        ("memory 1", func.into(), "memory of 1.. pages", "(i32) -> (i64)"),
        ("table 6 funcref", table.into(), "table of 6.. funcref", "table of 5.. funcref"),
        ("table 5 10 funcref", table.into(), "table of 5..=10 funcref", "table of 5.. funcref"),
        ("table 5 externref", table.into(), "table of 5.. externref", "table of 5.. funcref"),
        ("global i64", global.into(), "immutable global of type i64", "immutable global of type i32"),
        ("global (mut i32)", global.into(), "mutable global of type i32", "immutable global of type i32"),
    ];
    for (declared, given, expected_text, given_text) in cases {
        let text = format!(r#"(module (import "some module" "some name" ({declared})))"#);
        let module = Module::new(&engine, text).unwrap();
        let error = Instance::new(&mut store, &module, &[given]).unwrap_err();
        let link = error.downcast_ref::<LinkError>().unwrap_or_else(|| panic!("{error:?}"));
        assert_eq!((link.module(), link.name()), ("some module", "some name"));
        assert!(link.expected().contains(expected_text), "{error}");
        let given = link.given().expect("something was given");
        assert!(given.contains(given_text), "{error}");
        let whole = error.to_string();
        for part in ["some module", "some name", link.expected(), given] {
            assert!(whole.contains(part), "{whole}");
        }
    }
}

#[test]
fn imported_memories_keep_their_bounds_whatever_code_assumed() {
    // The importer's code may take guards, a fixed length, or neither for granted.
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    for (made, declared) in [
        (MemoryType::new(1, Some(1)), "1 1"),
        (MemoryType::new(1, Some(1)), "1"),
        (MemoryType::new(1, Some(2)), "0 5"),
        (MemoryType::new(1, Some(2)), "1"),
        (MemoryType::new(1, None), "1"),
        (MemoryType::new(1, Some(1000)), "1"),
        (MemoryType::new(1, Some(1000)), "1 1000"),
        (MemoryType::new64(1, Some(1)), "i64 1 1"),
        (MemoryType::new64(1, None), "i64 0"),
    ] {
        let memory = Memory::new(&mut store, made).unwrap();
        let index = if declared.starts_with("i64") { "i64" } else { "i32" };
        let text = format!(
            r#"(module (import "" "" (memory {declared}))
                (func (export "load") (param {index}) (result i32) (i32.load offset=3 (local.get 0)))
                (func (export "size") (result {index}) memory.size))"#
        );
        let module = Module::new(&engine, text).unwrap();
        let instance = Instance::new(&mut store, &module, &[memory.into()]).unwrap();
        let load = instance.get_func(&mut store, "load").unwrap();
        let call = |store: &mut Store<()>, at: i64| {
            let at = if index == "i64" { Val::I64(at) } else { Val::I32(at as i32) };
            load.call(store, &[at], &mut [Val::I32(0)]).is_ok()
        };
        assert!(call(&mut store, 65529) && !call(&mut store, 65530) && !call(&mut store, -1), "{declared}");
        if memory.grow(&mut store, 1).is_ok() {
            assert!(call(&mut store, 65530) && call(&mut store, 131065) && !call(&mut store, 131066), "{declared}");
        }
    }
}

#[test]
fn one_memory_under_two_names_is_one_memory() {
    // Stores through one name are seen through the other, also within a function.
    let text = r#"(module
        (import "" "a" (memory $a 1)) (import "" "b" (memory $b 1))
        (import "" "g" (global $g (mut i32))) (import "" "h" (global $h (mut i32)))
        (import "" "t" (table $t 2 funcref)) (import "" "u" (table $u 2 funcref))
        (func $f) (elem declare func $f)
        (func (export "run") (result i32 i32 i32 i32)
            (i32.store $a (i32.const 0) (i32.const 1))
            (i32.store $b (i32.const 0) (i32.const 2))
            (i32.load $a (i32.const 0))
            (global.set $g (i32.const 3))
            (global.set $h (i32.const 4))
            (global.get $g)
            (table.set $t (i32.const 1) (ref.null func))
            (table.set $u (i32.const 1) (ref.func $f))
            (ref.is_null (table.get $t (i32.const 1)))
            (drop (memory.grow $a (i32.const 1)))
            (memory.size $b)))"#;
    let (mut store, instance) = super::instantiate((), text, |store| {
        let memory = Memory::new(&mut *store, MemoryType::new(1, None)).unwrap();
        let global = GlobalType::new(ValType::I32, Mutability::Var);
        let global = Global::new(&mut *store, global, Val::I32(0)).unwrap();
        let table = Table::new(&mut *store, TableType::new(RefType::FUNCREF, 2, None), Ref::Func(None)).unwrap();
        vec![memory.into(), memory.into(), global.into(), global.into(), table.into(), table.into()]
    });
    let run = instance.get_typed_func::<(), (i32, i32, i32, i32)>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), (2, 4, 0, 2));
}
