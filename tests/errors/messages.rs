//! The table of messages: every row is produced here, but for those that need what no test can bring about, and
//! `docs/errors.md` shows every row.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use rustix::process::{Resource, Rlimit, setrlimit};
use upshift::{
    BuiltinSet, CompileError, CompileErrorKind, CompileOptions, Config, Engine, Error, ExternRef, Func, FuncType,
    Global, GlobalType, Instance, LinkErrorKind, Linker, Memory, MemoryType, Module, Mutability, Ref, RefType,
    ResourceLimiter, Result, RuntimeError, RuntimeErrorKind, Store, StoreLimits, StoreLimitsBuilder, Strategy, Table,
    TableType, UsageError, UsageErrorKind, Val, ValType,
};

use crate::child;

/// Rows that are not produced here, and why.
const NOT_HERE: &[(&str, &str)] = &[
    ("runtime.machine", "the processor lacks what the compilers need"),
    ("runtime.cancelled", "for those who cancel: the tests of asynchronous compilation"),
];

struct Row {
    class: &'static str,
    kind: String,
    code: &'static str,
    text: &'static str,
    meaning: &'static str,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    macro_rules! class {
        ($class:literal $Kind:ident) => {
            rows.extend($Kind::ALL.iter().map(|kind| Row {
                class: $class,
                kind: format!("{kind:?}"),
                code: kind.code(),
                text: kind.text(),
                meaning: kind.meaning(),
            }));
        };
    }
    class!("CompileError" CompileErrorKind);
    class!("LinkError" LinkErrorKind);
    class!("RuntimeError" RuntimeErrorKind);
    class!("UsageError" UsageErrorKind);
    rows
}

/// The code of an error's kind.
#[track_caller]
fn code(error: &Error) -> &'static str {
    let compile = error.downcast_ref::<CompileError>().map(|fault| fault.kind().code());
    let link = error.downcast_ref::<upshift::LinkError>().map(|fault| fault.kind().code());
    let runtime = error.downcast_ref::<RuntimeError>().map(|fault| fault.kind().code());
    let usage = error.downcast_ref::<UsageError>().map(|fault| fault.kind().code());
    compile.or(link).or(runtime).or(usage).unwrap_or_else(|| panic!("an error without a kind: {error:?}"))
}

/// Does a message come of this text, whose varying parts are in braces?
fn comes_of(message: &str, text: &str) -> bool {
    let mut rest = message;
    let mut parts = text.split('{').map(|part| part.split_once('}').map_or(part, |(_, fixed)| fixed));
    if let Some(first) = parts.next() {
        let Some(behind) = rest.strip_prefix(first) else { return false };
        rest = behind;
    }
    parts.all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn every_row_is_produced() {
    let mut produced: BTreeMap<&str, String> = BTreeMap::new();
    let errors = [compile_errors(), link_errors(), runtime_errors(), usage_errors()];
    for error in errors.into_iter().flatten() {
        produced.insert(code(&error), error.to_string());
    }
    for row in rows() {
        let is_elsewhere = NOT_HERE.iter().any(|(code, _)| *code == row.code) || EXHAUSTED.contains(&row.code);
        match produced.get(row.code) {
            Some(message) => {
                assert!(!is_elsewhere, "{} is produced here after all", row.code);
                assert!(comes_of(message, row.text), "{}: {message}", row.code);
            }
            None => assert!(is_elsewhere, "nothing produces {}", row.code),
        }
    }
}

#[test]
fn codes_are_the_kinds_in_other_letters_and_say_what_they_mean() {
    let mut codes = Vec::new();
    for row in rows() {
        let class = row.class.strip_suffix("Error").unwrap().to_lowercase();
        assert!(row.code.starts_with(&format!("{class}.")), "{}", row.code);
        assert!(row.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.' || byte == b'-'), "{}", row.code);
        assert!(row.meaning.len() > 20 && row.meaning.trim_end().ends_with('.'), "{}: {}", row.code, row.meaning);
        assert!(!codes.contains(&row.code), "{} twice", row.code);
        codes.push(row.code);
    }
}

fn compile_errors() -> Vec<Error> {
    let engine = Engine::default();
    let fails = |text: &str| Module::new(&engine, text).unwrap_err();
    let mut strings = CompileOptions::new();
    strings.builtins(BuiltinSet::JsString);
    let wrong = r#"(module (import "wasm:js-string" "length" (func)))"#;
    let simple = Engine::new(Config::new().wasm_simd(false).wasm_relaxed_simd(false)).unwrap();
    let mut errors = vec![
        Module::from_binary(&engine, b"\0asm\x02\0\0\0").unwrap_err(),
        Module::from_binary(&engine, b"\0asm\x01\0\0\0\x01\x04\x80\x89\x7a\0").unwrap_err(),
        fails("(module (func (result i32)))"),
        Module::new(&simple, "(module (func (param v128)))").unwrap_err(),
        Module::new_with(&engine, wrong, &strings).unwrap_err(),
    ];
    // Code memory of all sizes: at some there is room for the stubs, but not for the code.
    let text = format!("(module (func (export \"f\") {}))", "(drop (memory.grow (i32.const 1)))".repeat(3000));
    let text = text.replace("(module", "(module (memory 0)");
    for kilobytes in (0..=256).step_by(4) {
        let mut config = Config::new();
        config.code_memory_size(kilobytes << 10);
        let run = |config: &Config| {
            let engine = Engine::new(config)?;
            let module = Module::new(&engine, &text)?;
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[])?;
            instance.get_typed_func::<(), ()>(&mut store, "f")?.call(&mut store, ())
        };
        errors.extend(run(&config).err());
        errors.extend(run(config.strategy(Strategy::Eager)).err());
    }
    errors
}

fn link_errors() -> Vec<Error> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("m", "f", || {}).unwrap();
    linker.module(&mut store, "m", &Module::new(&engine, ITEMS).unwrap()).unwrap();
    let imports = [
        r#""n" "f" (func)"#,
        r#""m" "n" (func)"#,
        r#""m" "f" (memory 1)"#,
        r#""m" "f" (func (param i32))"#,
        r#""m" "table" (table 9 funcref)"#,
        r#""m" "memory" (memory 9)"#,
        r#""m" "global" (global i64)"#,
    ];
    let mut fails = |import: &str| {
        let module = Module::new(&engine, format!("(module (import {import}))")).unwrap();
        linker.instantiate(&mut store, &module).unwrap_err()
    };
    imports.map(&mut fails).into()
}

const ITEMS: &str = r#"(module
    (memory (export "memory") 1 2)
    (table (export "table") 1 2 funcref)
    (global (export "global") i32 (i32.const 1)))"#;

/// Passes on the reasons that it is told.
struct PassingOn;

impl ResourceLimiter for PassingOn {
    fn memory_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        Err(error)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        Err(error)
    }
}

fn limited(limits: StoreLimits) -> Store<StoreLimits> {
    let mut store = Store::new(&Engine::default(), limits);
    store.limiter(|limits| limits);
    store
}

fn new_table<T: 'static>(store: &mut Store<T>, min: u32, max: Option<u32>) -> Result<Table> {
    Table::new(store, TableType::new(RefType::FUNCREF, min, max), Ref::Func(None))
}

fn runtime_errors() -> Vec<Error> {
    let null = Ref::Func(None);
    let mut free = Store::<()>::default();
    let memory = Memory::new(&mut free, MemoryType::new(1, Some(2))).unwrap();
    let table = new_table(&mut free, 1, Some(2)).unwrap();
    let mut passing_on = Store::new(&Engine::default(), PassingOn);
    passing_on.limiter(|limiter| limiter);
    let told_memory = Memory::new(&mut passing_on, MemoryType::new(1, Some(2))).unwrap();
    let told_table = new_table(&mut passing_on, 1, Some(2)).unwrap();
    let mut small = limited(StoreLimitsBuilder::new().memory_size(1 << 16).table_elements(1).memories(1).build());
    let mut refused = vec![Memory::new(&mut small, MemoryType::new(2, None)).unwrap_err()];
    refused.push(new_table(&mut small, 2, None).unwrap_err());
    Memory::new(&mut small, MemoryType::new(1, None)).unwrap();
    refused.push(Memory::new(&mut small, MemoryType::new(1, None)).unwrap_err());
    let mut trapping = limited(StoreLimitsBuilder::new().memory_size(1 << 33).trap_on_grow_failure(true).build());
    let endless = Memory::new(&mut trapping, MemoryType::new(1, None)).unwrap();
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let module = Module::new(&engine, r#"(module (import "m" "f" (func $f)) (start $f))"#).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&module).unwrap();
    refused.extend([
        Memory::new(&mut free, MemoryType::new64(1 << 48, None)).unwrap_err(),
        memory.grow(&mut free, 2).unwrap_err(),
        told_memory.grow(&mut passing_on, 2).unwrap_err(),
        Table::new(&mut free, TableType::new(RefType::FUNCREF, 20_000_000, None), null).unwrap_err(),
        table.grow(&mut free, 2, null).unwrap_err(),
        told_table.grow(&mut passing_on, 2, null).unwrap_err(),
        endless.grow(&mut trapping, 1 << 20).unwrap_err(),
        endless.grow(&mut trapping, 1 << 16).unwrap_err(),
        linker.instantiate(&mut store, &module).unwrap_err(),
        Module::from_file(&engine, "/no/such/file").unwrap_err(),
        without_engine(),
    ]);
    refused
}

/// A module that nobody takes before the engine goes.
fn without_engine() -> Error {
    let engine = Engine::default();
    let future = Module::compile_async(&engine, "(module)");
    drop(engine);
    future.wait().unwrap_err()
}

/// Rows that a process produces when the system gives it no more.
const EXHAUSTED: &[&str] =
    &["runtime.memory-allocation", "runtime.memory-exhausted", "runtime.system", "runtime.table-allocation"];

#[test]
fn a_system_that_gives_no_more_is_named() {
    child::within("errors::messages::a_system_that_gives_no_more_is_named", || {
        let engine = Engine::default();
        let mut store = Store::new(&engine, PassingOn);
        store.limiter(|limiter| limiter);
        let memory = Memory::new(&mut store, MemoryType::new64(1, None)).unwrap();
        let taken = fs::read_to_string("/proc/self/statm").unwrap();
        let taken = taken.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096;
        // Less than an engine makes do with.
        let limit = Some(taken + (12 << 20));
        setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).unwrap();
        let errors = [
            Memory::new(&mut store, MemoryType::new64(16_000, None)).unwrap_err(),
            memory.grow(&mut store, 16_000).unwrap_err(),
            Engine::new(&Config::new()).map(drop).unwrap_err(),
            new_table(&mut store, 10_000_000, None).map(drop).unwrap_err(),
        ];
        let rows = rows();
        for (error, expected) in errors.iter().zip(EXHAUSTED) {
            assert_eq!(code(error), *expected, "{error:?}");
            let row = rows.iter().find(|row| row.code == *expected).expect("a row");
            assert!(comes_of(&error.to_string(), row.text), "{error}");
        }
        assert!(errors[0].root_cause().is::<std::io::Error>(), "the cause is what the system said");
    });
}

fn usage_errors() -> Vec<Error> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let module = Module::new(&engine, ITEMS.replace("(module", r#"(module (func (export "f"))"#)).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let func = instance.get_func(&mut store, "f").unwrap();
    let ty = FuncType::new(&engine, [], [ValType::I32]);
    let liar = Func::new(&mut store, ty, |_, _, results| {
        results[0] = Val::I64(1);
        Ok(())
    });
    let fixed = instance.get_global(&mut store, "global").unwrap();
    let ty = GlobalType::new(ValType::I32, Mutability::Var);
    let global = Global::new(&mut store, ty, Val::I32(1)).unwrap();
    let functions = new_table(&mut store, 1, None).unwrap();
    let externs = Table::new(&mut store, TableType::new(RefType::EXTERNREF, 1, None), Ref::Extern(None)).unwrap();
    let value = ExternRef::new(&mut store, 5).unwrap();
    let mut linker = Linker::new(&engine);
    linker.instance(&mut store, "m", instance).unwrap();
    let odd = Module::new(&engine, r#"(module (memory (export "_start") 1))"#).unwrap();
    linker.module(&mut store, "odd", &odd).unwrap();
    let memory = Module::new(&engine, r#"(module (import "n" "m" (memory 1)))"#).unwrap();
    let no_null = Module::new(&engine, r#"(module (import "n" "g" (global (ref func))))"#).unwrap();
    vec![
        Instance::new(&mut store, &memory, &[]).unwrap_err(),
        instance.require_func(&mut store, "none").unwrap_err(),
        instance.require_func(&mut store, "memory").unwrap_err(),
        instance.get_typed_func::<i32, ()>(&mut store, "f").unwrap_err(),
        func.typed::<i32, ()>(&store).map(drop).unwrap_err(),
        func.call(&mut store, &[Val::I32(1)], &mut []).unwrap_err(),
        global.set(&mut store, Val::I64(1)).unwrap_err(),
        liar.call(&mut store, &[], &mut [Val::I32(0)]).map_err(outermost_usage).unwrap_err(),
        Table::copy(&mut store, &functions, 0, &externs, 0, 1).unwrap_err(),
        fixed.set(&mut store, Val::I32(2)).unwrap_err(),
        value.data(&Store::new(&engine, ())).map(drop).unwrap_err(),
        linker.instance(&mut store, "m", instance).map(drop).unwrap_err(),
        linker.alias("none", "f", "m", "g").map(drop).unwrap_err(),
        linker.get_default(&mut store, "odd").unwrap_err(),
        linker.define_unknown_imports_as_traps(&memory).unwrap_err(),
        linker.define_unknown_imports_as_default_values(&mut store, &no_null).unwrap_err(),
        module.compile_function(99).unwrap_err(),
        store.set_fuel(1).unwrap_err(),
        Engine::new(Config::new().wasm_gc(true)).map(drop).unwrap_err(),
        MemoryType::builder().page_size_log2(3).build().unwrap_err(),
        MemoryType::builder().min(1 << 40).build().unwrap_err(),
        MemoryType::builder().min(2).max(Some(1)).build().unwrap_err(),
    ]
}

/// The error of a host function with its own message in front, for the comparison with the row's text.
fn outermost_usage(error: Error) -> Error {
    error.downcast::<UsageError>().expect("a usage error").into()
}

#[test]
fn the_documentation_shows_every_row() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    let text = fs::read_to_string(&path).expect("docs/errors.md");
    let (before, rest) = text.split_once("<!-- rows -->\n").expect("the place of the rows");
    let (_, after) = rest.split_once("<!-- end of rows -->").expect("the end of the rows");
    let mut table = String::new();
    for class in ["CompileError", "LinkError", "RuntimeError", "UsageError"] {
        table.push_str(&format!("\n### {class}\n| code | kind | message | meaning |\n|---|---|---|---|\n"));
        for Row { kind, code, text, meaning, .. } in rows().iter().filter(|row| row.class == class) {
            let (text, meaning) = (text.replace("``", "` `"), meaning.trim());
            table.push_str(&format!("| `{code}` | `{kind}` | {} | {meaning} |\n", escaped(&text)));
        }
    }
    let expected = format!("{before}<!-- rows -->\n{table}\n<!-- end of rows -->{after}");
    if env::var_os("UPSHIFT_BLESS").is_some() {
        fs::write(&path, expected).expect("the documentation can be written");
        return;
    }
    assert!(text == expected, "docs/errors.md is not up to date: UPSHIFT_BLESS=1 writes it");
}

/// A message in Markdown: what varies in italics, and nothing else marked.
fn escaped(text: &str) -> String {
    let text = text.replace('_', "\\_").replace('`', "\\`").replace('|', "\\|");
    text.replace('{', "*").replace('}', "*")
}
