//! Tests of `module`, and of the errors that making and linking one gives.

use crate::{
    CompileError, CompileErrorKind, Config, Engine, Func, Instance, LinkError, Linker, Module, Store, Strategy,
};

#[test]
fn statistics_follow_compilation() {
    let text = r#"(module (func $a (export "a") call $b) (func $b) (func $c (param f64)))"#;
    let module = Module::new(&Engine::default(), text).unwrap();
    assert_eq!((module.statistics().functions, module.statistics().compiled), (3, 0));
    let mut store = Store::new(module.engine(), ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    instance.get_typed_func::<(), ()>(&mut store, "a").unwrap().call(&mut store, ()).unwrap();
    assert_eq!(module.statistics().compiled, 2);
    module.compile_all().unwrap();
    let all = module.statistics();
    assert_eq!(all.compiled, 3);
    assert!(all.code_bytes > 0 && all.metadata_bytes > 0);
    let eager = Engine::new(Config::new().strategy(Strategy::Eager)).unwrap();
    assert_eq!(Module::new(&eager, text).unwrap().statistics().compiled, 3);
    assert!(eager.code_bytes() > 0);
}

#[test]
fn functions_can_be_looked_at() {
    let text = r#"(module (import "" "" (func)) (func $f (param i32) (local i64 i64) (local f32)
        (drop (i32.load offset=4 (local.get 0)))) (memory 1))"#;
    let module = Module::new(&Engine::default(), text).unwrap();
    let functions: Vec<_> = module.functions().map(|f| (f.index, f.name, f.len)).collect();
    assert_eq!(functions, [(1, Some("f"), 12)]);
    let operators = module.operators(1).unwrap();
    let texts: Vec<&str> = operators.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["local.get 0", "i32.load offset=4", "drop", "end"]);
    let start = module.functions().next().unwrap().offset;
    assert_eq!(operators[0].0, start + 5);
    assert_eq!(module.locals(1).unwrap(), [(2, crate::ValType::I64), (1, crate::ValType::F32)]);
    module.compile_function(1).unwrap();
    let code = module.code(1).unwrap();
    assert_eq!(code.tier, crate::Tier::Baseline);
    assert!(code.traps.iter().any(|&(_, text)| text == "out of bounds memory access"));
    assert!(code.positions.iter().any(|&(_, offset)| offset == Some(operators[1].0 as u32)));
    for index in [0, 2, u32::MAX] {
        assert!(module.operators(index).is_err());
        assert!(module.compile_function(index).is_err());
        assert!(module.code(index).is_none());
    }
    assert!(module.function_type(0).is_some() && module.function_type(2).is_none());
}

#[test]
fn custom_sections_are_readable() {
    let text = r#"(module (@custom "x" "abc") (@custom "y" "d") (@custom "x" "e"))"#;
    let module = Module::new(&Engine::default(), text).unwrap();
    assert_eq!(module.custom_sections("x").collect::<Vec<_>>(), [&b"abc"[..], b"e"]);
    assert_eq!(module.custom_sections("z").count(), 0);
}

#[test]
fn bad_modules_say_where() {
    let engine = Engine::default();
    let error = Module::new(&engine, "(module (func $f i32.add))").unwrap_err();
    let fault = error.downcast_ref::<CompileError>().unwrap();
    assert_eq!((fault.kind(), fault.function_name()), (CompileErrorKind::Invalid, Some("f")));
    assert!(error.to_string().contains("in function 0 (`f`)") && error.to_string().contains("at offset 0x"));
    let error = Module::validate(&engine, b"\0asm\x01\0\0\0\x01").unwrap_err();
    assert_eq!(error.downcast_ref::<CompileError>().unwrap().kind(), CompileErrorKind::Malformed);
    assert!(Module::new(&engine, "(module (").is_err());
    assert!(Module::from_file(&engine, "/no/such/file").unwrap_err().to_string().contains("/no/such/file"));
    let engine = Engine::new(Config::new().wasm_simd(false).wasm_relaxed_simd(false)).unwrap();
    let error = Module::new(&engine, "(module (func (param v128)))").unwrap_err();
    assert_eq!(error.downcast_ref::<CompileError>().unwrap().kind(), CompileErrorKind::Unsupported);
    let error = Engine::new(Config::new().wasm_gc(true)).unwrap_err();
    assert_eq!(error.to_string(), "the gc proposal is not supported");
}

#[test]
fn wrong_imports_say_what_was_expected() {
    let engine = Engine::default();
    let module = Module::new(&engine, r#"(module (import "m" "f" (func (param i32))))"#).unwrap();
    let mut store = Store::new(&engine, ());
    let given = Func::wrap(&mut store, |_: i64| -> i32 { 0 });
    let error = Instance::new(&mut store, &module, &[given.into()]).unwrap_err();
    let fault = error.downcast_ref::<LinkError>().unwrap();
    assert_eq!((fault.module(), fault.name()), ("m", "f"));
    assert_eq!(
        error.to_string(),
        "incompatible import type for `m::f`: expected function (i32) -> (), given function (i64) -> (i32); \
         parameter 1: expected i32, given i64"
    );
    assert!(Instance::new(&mut store, &module, &[]).is_err());
    let error = Linker::<()>::new(&engine).instantiate(&mut store, &module).unwrap_err();
    let unknown = error.downcast_ref::<crate::UnknownImportError>().unwrap();
    assert_eq!((unknown.module(), unknown.name()), ("m", "f"));
    assert_eq!(unknown.ty(), module.imports().next().unwrap().ty());
    assert!(error.to_string().contains("`m::f` has not been defined (expected function (i32) -> ())"), "{error}");
}

#[test]
fn exports_are_found_by_index() {
    let engine = Engine::default();
    let text = r#"(module (memory (export "m") 1) (func (export "f")))"#;
    let (module, twin) = (Module::new(&engine, text).unwrap(), Module::new(&engine, text).unwrap());
    // The same bytes are the same module, as long as it lives.
    assert!(Module::same(&module, &twin));
    let unlike = Module::new(&engine, r#"(module (memory (export "m") 1))"#).unwrap();
    let [memory, other] = [&twin, &unlike].map(|module| module.get_export_index("m").unwrap());
    assert!(module.get_export_index("x").is_none());
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.get_module_export(&mut store, &memory).unwrap().into_memory().unwrap();
    assert_eq!(memory.size(&store), 1);
    assert!(instance.get_module_export(&mut store, &other).is_none());
}

#[test]
fn resources_exclude_imports() {
    let text = r#"(module (import "" "m" (memory 9)) (import "" "t" (table 9 funcref)) (memory 0) (memory 3))"#;
    let required = Module::new(&Engine::default(), text).unwrap().resources_required();
    assert_eq!((required.num_memories, required.max_initial_memory_size), (2, Some(3)));
    assert_eq!((required.num_tables, required.max_initial_table_size), (0, None));
}
