//! What a scripting interface throws: class, code and words, with the name of the function that was called in front.

use std::fmt::Write as _;

use upshift::{
    BuiltinSet, CompileOptions, Engine, Error, ErrorClass, ErrorThrower, Func, Instance, Linker, Memory, MemoryType,
    Module, Store, Val,
};

use super::golden;

#[test]
fn errors_are_thrown_in_classes() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let (compile, instance, grow) = (
        ErrorThrower::new("WebAssembly.compile()"),
        ErrorThrower::new("WebAssembly.Instance()"),
        ErrorThrower::new("WebAssembly.Memory.grow()"),
    );
    let mut text = String::new();
    let mut show = |thrower: ErrorThrower<'_>, error: &Error| {
        let thrown = thrower.throw(error);
        writeln!(text, "[{}] {thrown}", thrown.code.unwrap_or("-")).unwrap();
    };
    let mut strings = CompileOptions::new();
    strings.builtins(BuiltinSet::JsString);
    show(compile, &Module::from_binary(&engine, b"\0asm\x02\0\0\0").unwrap_err());
    show(compile, &Module::new(&engine, "(module (func $f (result i32)))").unwrap_err());
    let wrong = r#"(module (import "wasm:js-string" "length" (func)))"#;
    show(compile, &Module::new_with(&engine, wrong, &strings).unwrap_err());
    let module = Module::new(&engine, r#"(module (import "env" "f" (func (param i32))))"#).unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "F", || {}).unwrap();
    show(instance, &linker.instantiate(&mut store, &module).unwrap_err());
    let given = Func::wrap(&mut store, |_: i64| {});
    show(instance, &Instance::new(&mut store, &module, &[given.into()]).unwrap_err());
    show(instance, &Instance::new(&mut store, &module, &[]).unwrap_err());
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(1))).unwrap();
    show(grow, &memory.grow(&mut store, 1).unwrap_err());
    for (body, call) in [("unreachable", "unreachable"), ("recursion", "(call 0)")] {
        let text = format!(r#"(module (func ${body} (export "f") {call}))"#);
        let module = Module::new(&engine, text).unwrap();
        let f = Instance::new(&mut store, &module, &[]).unwrap().get_func(&mut store, "f").unwrap();
        show(instance, &f.call(&mut store, &[], &mut []).unwrap_err());
    }
    show(instance, &given.call(&mut store, &[Val::I32(1)], &mut []).unwrap_err());
    show(ErrorThrower::new(""), &given.call(&mut store, &[Val::I32(1)], &mut []).unwrap_err());
    show(instance, &Error::msg("of the host").context("outer"));
    golden("thrown.txt", &text);
    let thrown = compile.fault(ErrorClass::TypeError, format_args!("argument {} must be a buffer", 0));
    assert_eq!(thrown.to_string(), "TypeError: WebAssembly.compile(): argument 0 must be a buffer");
    assert_eq!((thrown.class, thrown.code, compile.api()), (ErrorClass::TypeError, None, "WebAssembly.compile()"));
}
