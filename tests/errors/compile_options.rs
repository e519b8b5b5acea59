//! Compile-time imports through the public API: which answers a module has, and which errors, whichever way it is made.

use std::io;

use futures::executor::block_on;
use futures::stream;
use upshift::{
    Builtin, BuiltinSet, CompileError, CompileErrorKind, CompileOptions, CompileTimeImport, Config, Engine, Error,
    Extern, Func, Instance, Linker, Module, Result, Store, StreamingCompilation,
};

const LENGTH: &str = r#"(import "wasm:js-string" "length" (func (param externref) (result i32)))"#;
const WRONG_LENGTH: &str = r#"(import "wasm:js-string" "length" (func (param i32)))"#;
const CONSTANT: &str = r#"(import "'" "hello" (global (ref extern)))"#;

fn strings() -> CompileOptions {
    let mut options = CompileOptions::new();
    options.builtins(BuiltinSet::JsString).string_constants(Some("'"));
    options
}

fn answers(module: &Module) -> Vec<Option<CompileTimeImport>> {
    module.imports().map(|import| import.compile_time()).collect()
}

#[test]
fn options_make_different_modules() {
    let engine = Engine::default();
    let bytes = wat::parse_str(format!(r#"(module {LENGTH} {CONSTANT} (import "env" "f" (func)))"#)).unwrap();
    let make = |options: &CompileOptions| Module::from_binary_with(&engine, &bytes, options).unwrap();
    let mut builtins = CompileOptions::new();
    builtins.builtins(BuiltinSet::JsString);
    let mut constants = CompileOptions::new();
    constants.string_constants(Some("'"));
    let mut others = CompileOptions::new();
    others.string_constants(Some("env2"));
    let (length, constant) = (CompileTimeImport::Builtin(Builtin::Length), CompileTimeImport::StringConstant);
    let cases = [
        (CompileOptions::new(), [None, None, None]),
        (builtins, [Some(length), None, None]),
        (constants, [None, Some(constant), None]),
        (others, [None, None, None]),
        (strings(), [Some(length), Some(constant), None]),
    ];
    let modules: Vec<Module> = cases.iter().map(|(options, _)| make(options)).collect();
    for (position, (options, expected)) in cases.iter().enumerate() {
        assert_eq!(answers(&modules[position]), expected);
        // While they all live, each is found again, and none is taken for another.
        let again = make(options);
        for (other, module) in modules.iter().enumerate() {
            assert_eq!(Module::same(&again, module), other == position, "{options:?}");
        }
    }
    assert!(Module::same(&Module::from_binary(&engine, &bytes).unwrap(), &modules[0]));
}

#[test]
fn an_error_is_not_cached_for_other_options() {
    let engine = Engine::default();
    let bytes = wat::parse_str(format!("(module {WRONG_LENGTH})")).unwrap();
    for _ in 0..2 {
        assert!(Module::from_binary_with(&engine, &bytes, &strings()).is_err());
        assert!(Module::from_binary(&engine, &bytes).is_ok());
    }
    let _alive = Module::from_binary(&engine, &bytes).unwrap();
    assert!(Module::from_binary_with(&engine, &bytes, &strings()).is_err());
}

#[track_caller]
fn fault(error: Error) -> CompileError {
    error.downcast::<CompileError>().unwrap()
}

#[test]
fn a_module_that_is_not_valid_fails_with_its_first_fault() {
    let text = format!("(module {WRONG_LENGTH} (func $f (result i32)))");
    let bytes = wat::parse_str(text).unwrap();
    let plain = Engine::default();
    let validated = fault(Module::from_binary_with(&plain, &bytes, &strings()).unwrap_err());
    assert_eq!((validated.kind(), validated.function_name()), (CompileErrorKind::Invalid, Some("f")));
    let without = fault(Module::from_binary(&plain, &bytes).unwrap_err());
    assert_eq!(validated.to_string(), without.to_string());
    // With lazy validation the body is looked at when it is called, so the import is the first fault.
    let lazy = Engine::new(Config::new().lazy_validation(true)).unwrap();
    let import = fault(Module::from_binary_with(&lazy, &bytes, &strings()).unwrap_err());
    assert_eq!((import.kind(), import.import_index()), (CompileErrorKind::Import, Some(0)));
}

#[test]
fn the_error_says_what_where_and_which() {
    let text = format!(r#"(module (import "env" "f" (func)) {CONSTANT} {WRONG_LENGTH})"#);
    let bytes = wat::parse_str(text).unwrap();
    let engine = Engine::default();
    let fault = fault(Module::from_binary_with(&engine, &bytes, &strings()).unwrap_err());
    assert_eq!((fault.kind(), fault.import_index(), fault.function_index()), (CompileErrorKind::Import, Some(2), None));
    let offset = fault.offset().unwrap();
    assert_eq!(bytes[offset], 0, "the kind of a function import");
    let message = "incompatible type for the builtin `wasm:js-string::length`: declared function (i32) -> (), required \
        function (externref) -> (i32)";
    assert_eq!(fault.message(), message);
    assert_eq!(fault.to_string(), format!("{message} (at offset {offset:#x})"));
    let validated = Module::validate_with(&engine, &bytes, &strings()).unwrap_err();
    assert_eq!(validated.to_string(), fault.to_string());
    assert!(Module::validate(&engine, &bytes).is_ok());
}

#[test]
fn answered_imports_are_given_as_all_others() {
    let engine = Engine::default();
    let text = format!(r#"(module {LENGTH} (func (export "f") (result i32) (call 0 (ref.null extern))))"#);
    let module = Module::new_with(&engine, text, &strings()).unwrap();
    let mut store = Store::new(&engine, ());
    let length = Func::wrap(&mut store, |_: Option<upshift::Rooted<upshift::ExternRef>>| 7);
    let instance = Instance::new(&mut store, &module, &[Extern::from(length)]).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap(), 7);
}

#[test]
fn asynchronous_compilation_answers_and_refuses_alike() {
    let engine = Engine::default();
    let right = wat::parse_str(format!("(module {LENGTH} {CONSTANT})")).unwrap();
    let module = Module::compile_async_with(&engine, right.clone(), &strings()).wait().unwrap();
    assert_eq!(answers(&module), answers(&Module::from_binary_with(&engine, &right, &strings()).unwrap()));
    for text in [format!("(module {WRONG_LENGTH})"), format!("(module {WRONG_LENGTH} (func (result i32)))")] {
        let bytes = wat::parse_str(text).unwrap();
        let at_once = Module::from_binary_with(&engine, &bytes, &strings()).unwrap_err();
        let later = Module::compile_async_with(&engine, bytes, &strings()).wait().unwrap_err();
        assert_eq!(fault(later).to_string(), fault(at_once).to_string());
    }
}

/// A way from bytes to a module.
type Way = fn(&Engine, &[u8], &CompileOptions) -> Result<Module>;

/// All ways but [`Module::from_binary_with`].
const WAYS: [(&str, Way); 9] = [
    ("new", |engine, bytes, options| Module::new_with(engine, bytes, options)),
    ("compile_async", |engine, bytes, options| Module::compile_async_with(engine, bytes, options).wait()),
    ("stream", |engine, bytes, options| streamed(engine, bytes, options).finish()),
    ("stream, finish_async", |engine, bytes, options| block_on(streamed(engine, bytes, options).finish_async())),
    ("from_reader", |engine, bytes, options| Module::from_reader_with(engine, bytes, options)),
    ("from_file", by_file),
    ("from_stream", |engine, bytes, options| {
        let pieces = stream::iter(bytes.chunks(7).map(Ok::<_, io::Error>));
        block_on(Module::from_stream_with(engine, pieces, options))
    }),
    ("from_async_read", |engine, bytes, options| block_on(Module::from_async_read_with(engine, bytes, options))),
    ("instantiate_bytes_async", |engine, bytes, options| {
        let mut linker = Linker::new(engine);
        linker.func_wrap("wasm:js-string", "length", |_: Option<upshift::Rooted<upshift::ExternRef>>| 7)?;
        let mut store = Store::new(engine, ());
        let made = block_on(linker.instantiate_bytes_async_with(&mut store, bytes, options));
        made.map(|(module, _)| module)
    }),
];

fn streamed(engine: &Engine, bytes: &[u8], options: &CompileOptions) -> StreamingCompilation {
    let mut stream = StreamingCompilation::new_with(engine, options);
    bytes.chunks(5).for_each(|piece| stream.push(piece).unwrap());
    stream
}

fn by_file(engine: &Engine, bytes: &[u8], options: &CompileOptions) -> Result<Module> {
    let path = std::env::temp_dir().join(format!("upshift-options-{}.wasm", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let module = Module::from_file_with(engine, &path, options);
    std::fs::remove_file(&path).unwrap();
    module
}

/// What a caller can see of a module's imports, or of what is wrong.
fn describe(result: Result<Module>) -> String {
    match result {
        Ok(module) => format!("{:?}", answers(&module)),
        Err(error) => {
            let fault = fault(error);
            let place = (fault.kind(), fault.offset(), fault.import_index(), fault.function_index());
            format!("{fault}; {} {place:?}", fault.message())
        }
    }
}

/// However a module comes, the same imports are answered, and the same are wrong, in the same words, at the same place.
#[test]
fn every_way_in_answers_and_refuses_alike() {
    let texts = [
        format!("(module {LENGTH})"),
        format!("(module {WRONG_LENGTH})"),
        format!("(module {LENGTH} {CONSTANT} {WRONG_LENGTH})"),
        format!("(module {WRONG_LENGTH} (func $f (result i32)))"),
        format!("(module {LENGTH} (func $f (result i32)))"),
        r#"(module (import "'" "hello" (global i32)))"#.into(),
        r#"(module (import "'" "hello" (func)))"#.into(),
    ];
    for cache in [true, false] {
        let engine = Engine::new(Config::new().module_cache(cache)).unwrap();
        for text in &texts {
            let bytes = wat::parse_str(text).unwrap();
            for options in [strings(), CompileOptions::new()] {
                let expected = describe(Module::from_binary_with(&engine, &bytes, &options));
                for (name, way) in WAYS {
                    let links = name == "instantiate_bytes_async" && expected.starts_with('[');
                    if links && !text.ends_with(&format!("{LENGTH})")) {
                        continue; // Its imports are not there to be linked.
                    }
                    assert_eq!(describe(way(&engine, &bytes, &options)), expected, "{name}: {text} {options:?}");
                }
            }
        }
    }
}
