//! The nearest name: of functions asked for by name and type, and in linkers of any size.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use upshift::{Engine, Instance, LinkError, Linker, Module, Store, UsageError, UsageErrorKind};

use super::golden;

#[test]
fn exports_that_are_asked_for() {
    let engine = Engine::default();
    let text = r#"(module
        (type $unary (func (param i32) (result i32)))
        (func (export "add") (param i32 i64) (result i32) unreachable)
        (func (export "apply") (param (ref null $unary)))
        (func (export "_initialize"))
        (memory (export "memory") 1)
        (table (export "table") 1 funcref)
        (global (export "global") i32 (i32.const 1)))"#;
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let mut text = String::new();
    let mut errors = Vec::new();
    for name in ["ad", "aply", "initialize", "start", "memory", "table", "global", "memroy"] {
        errors.push(instance.get_typed_func::<(), ()>(&mut store, name).unwrap_err());
    }
    errors.push(instance.get_typed_func::<i32, i32>(&mut store, "add").unwrap_err());
    errors.push(instance.get_typed_func::<(i32, i32), i32>(&mut store, "add").unwrap_err());
    errors.push(instance.get_typed_func::<(i32, i64), ()>(&mut store, "add").unwrap_err());
    errors.push(instance.get_typed_func::<(i32, i64), f64>(&mut store, "add").unwrap_err());
    errors.push(instance.get_typed_func::<i32, ()>(&mut store, "apply").unwrap_err());
    let add = instance.get_func(&mut store, "add").unwrap();
    errors.push(add.typed::<(i64, i64), i32>(&store).unwrap_err());
    for error in &errors {
        writeln!(text, "{error}").unwrap();
        assert!(error.is::<UsageError>());
    }
    golden("exports.txt", &text);
    let kind = |at: usize| errors[at].downcast_ref::<UsageError>().unwrap().kind();
    assert_eq!((kind(0), kind(4)), (UsageErrorKind::NoSuchFunction, UsageErrorKind::ExportKind));
    assert_eq!((kind(8), kind(13)), (UsageErrorKind::ExportType, UsageErrorKind::FunctionType));
    assert!(instance.require_func(&mut store, "add").is_ok());
}

#[test]
fn huge_linkers_and_long_names_are_no_burden() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("one", "f", || {}).unwrap();
    let long = "n".repeat(90_000);
    for number in 0..10_000 {
        linker.alias("one", "f", "many", &format!("some_function_{number:05}")).unwrap();
        if number % 10 == 0 {
            linker.alias("one", "f", &format!("module_{number:05}"), "some_function_00000").unwrap();
        }
    }
    linker.alias("one", "f", "long", &long).unwrap();
    let note = |module: &str, name: &str| {
        let text = format!(r#"(module (import "{module}" "{name}" (func)))"#);
        let module = Module::new(&engine, text).unwrap();
        let started = Instant::now();
        let error = linker.instantiate_pre(&module).unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        error.downcast_ref::<LinkError>().unwrap().notes().next().unwrap_or_default().to_string()
    };
    assert_eq!(note("many", "some_functoin_01234"), "did you mean `many::some_function_01234`?");
    assert_eq!(note("many", "someFunction01234"), "did you mean `many::some_function_01234`?");
    assert_eq!(note("modul_00010", "some_function_00000"), "did you mean `module_00010::some_function_00000`?");
    // Of many that are equally near, the first.
    assert_eq!(note("many", "some_function_0123"), "did you mean `many::some_function_00123`?");
    let cut = "n".repeat(100);
    assert_eq!(note("long", &long.to_uppercase()), format!("did you mean `long::{cut}...`?"));
    assert_eq!(note("lnog", &long), format!("did you mean `long::{cut}...`?"));
    assert_eq!(note("long", &format!("{}m", &long[1..])), "");
}

#[test]
fn aliases_need_a_name_that_is_defined() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("env", "print", || {}).unwrap();
    let error = linker.alias("env", "prnit", "env", "p").unwrap_err();
    assert_eq!(error.to_string(), "no item named `env::prnit` is defined; did you mean `env::print`?");
}
