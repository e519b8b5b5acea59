//! Which imports are answered, with which types, and in which order they are refused.

use std::collections::{BTreeSet, HashSet};

use super::{Builtin, BuiltinSet, BuiltinType, CompileTimeImport, CompileTimeImports};
use crate::decode::error::DecodeErrorKind;
use crate::module::{Import, ModuleInfo};
use crate::samples::{module, wat};
use crate::types::{
    ArrayType, CompositeType, ExternType, FieldType, FuncType, HeapType, RecGroup, RefType, StorageType, SubType,
    TypeIndex, ValType,
};

fn strings() -> CompileTimeImports {
    let mut imports = CompileTimeImports::new();
    imports.enable(BuiltinSet::JsString);
    imports.set_string_constants(Some("'"));
    imports
}

fn check(text: &str) -> Result<(), String> {
    strings().check(&module(text)).map_err(|fault| fault.to_string())
}

/// The text of a builtin's type, for those that need no arrays.
fn text_type(builtin: Builtin) -> Option<String> {
    let arrays = builtin.params().contains(&BuiltinType::CharCodes);
    let params: Vec<String> = builtin.params().iter().map(ToString::to_string).collect();
    (!arrays).then(|| format!("(param {}) (result {})", params.join(" "), builtin.result()))
}

#[test]
fn the_table_is_that_of_the_specification() {
    let names: Vec<&str> = Builtin::ALL.iter().map(|builtin| builtin.name()).collect();
    let expected = [
        "cast",
        "test",
        "fromCharCodeArray",
        "intoCharCodeArray",
        "fromCharCode",
        "fromCodePoint",
        "charCodeAt",
        "codePointAt",
        "length",
        "concat",
        "substring",
        "equals",
        "compare",
    ];
    assert_eq!(names, expected);
    assert_eq!(Builtin::Substring.to_string(), "(externref, i32, i32) -> ((ref extern))");
    assert_eq!(BuiltinSet::from_name("js-string"), Some(BuiltinSet::JsString));
    assert_eq!(BuiltinSet::from_name("wasm:js-string"), None);
    for set in BuiltinSet::ALL {
        assert_eq!(set.module(), format!("wasm:{}", set.name()));
    }
}

#[test]
fn every_builtin_is_accepted_with_its_type_only() {
    for &builtin in Builtin::ALL {
        let Some(ty) = text_type(builtin) else { continue };
        let import = |ty: &str| format!(r#"(module (import "wasm:js-string" "{}" (func {ty})))"#, builtin.name());
        assert_eq!(check(&import(&ty)), Ok(()), "{builtin:?}");
        for wrong in [
            ty.replace("(param ", "(param i64 "),
            ty.replace("(result ", "(result i32 "),
            ty.replace("(param externref", "(param (ref extern)").replace("(param i32", "(param i64"),
            ty.replace("(result (ref extern))", "(result externref)").replace("(result i32)", "(result i64)"),
            String::new(),
        ] {
            let fault = check(&import(&wrong)).expect_err(&wrong);
            assert!(fault.contains(&builtin.to_string()) && fault.contains(builtin.name()), "{fault}");
        }
        let fault = check(&format!(r#"(module (import "wasm:js-string" "{}" (memory 1)))"#, builtin.name()));
        assert!(fault.expect_err("a memory").contains("declared memory of 1.. pages"));
    }
}

/// A module with types that text cannot say yet: an array, then a function that takes a reference to it.
fn array_module(element: FieldType, is_final: bool, one_group: bool) -> ModuleInfo {
    let array = CompositeType::Array(ArrayType { element });
    let reference = ValType::Ref(RefType { nullable: true, heap: HeapType::Concrete(TypeIndex(0)) });
    let result = ValType::Ref(RefType { nullable: false, heap: HeapType::Extern });
    let func = FuncType::new([reference, ValType::I32, ValType::I32], [result]);
    let mut info = ModuleInfo {
        types: vec![SubType { is_final, supertype: None, composite: array }, SubType::final_func(func)],
        ..ModuleInfo::default()
    };
    let group = |first, len| RecGroup { first: TypeIndex(first), len };
    info.rec_groups = if one_group { vec![group(0, 2)] } else { vec![group(0, 0), group(0, 1), group(1, 1)] };
    let (module, name) = ("wasm:js-string".into(), "fromCharCodeArray".into());
    info.imports.push(Import { module, name, ty: ExternType::Func(TypeIndex(1)), offset: 7 });
    info
}

#[test]
fn arrays_are_mutable_final_and_alone() {
    let element = |storage, mutable| FieldType { storage, mutable };
    let good = array_module(element(StorageType::I16, true), true, false);
    assert!(strings().check(&good).is_ok());
    for bad in [
        array_module(element(StorageType::I8, true), true, false),
        array_module(element(StorageType::I16, false), true, false),
        array_module(element(StorageType::I16, true), false, false),
        array_module(element(StorageType::I16, true), true, true),
    ] {
        let fault = strings().check(&bad).expect_err("another type");
        assert_eq!((fault.kind(), fault.offset()), (DecodeErrorKind::Import { index: 0 }, 7));
    }
}

#[test]
fn function_types_are_final_and_alone_too() {
    let info = || module(r#"(module (import "wasm:js-string" "length" (func (param externref) (result i32))))"#);
    assert!(strings().check(&info()).is_ok());
    let mut open = info();
    open.types[0].is_final = false;
    let mut grouped = info();
    grouped.types.push(SubType::final_func(FuncType::new([], [])));
    grouped.rec_groups[0].len = 2;
    for info in [open, grouped] {
        let fault = strings().check(&info).expect_err("not the builtin's type").to_string();
        assert!(fault.contains("final and in a recursion group of its own"), "{fault}");
    }
}

#[test]
fn string_constants_are_immutable_globals_of_externref() {
    assert_eq!(check(r#"(module (import "'" "a" (global externref)) (import "'" "" (global (ref extern))))"#), Ok(()));
    for wrong in
        ["(global (mut externref))", "(global i32)", "(global funcref)", "(func)", "(memory 1)", "(table 1 externref)"]
    {
        let fault = check(&format!(r#"(module (import "'" "a" {wrong}))"#)).expect_err(wrong);
        assert!(fault.contains("required immutable global of type (ref extern)"), "{fault}");
    }
    let other = module(r#"(module (import "env" "a" (func)) (import "'" "a" (global externref)))"#);
    let mut imports = CompileTimeImports::new();
    imports.set_string_constants(Some("env"));
    assert_eq!(imports.check(&other).expect_err("a function").kind(), DecodeErrorKind::Import { index: 0 });
    imports.set_string_constants(None);
    assert!(imports.is_empty() && imports.check(&other).is_ok());
}

#[test]
fn what_is_not_answered_is_an_ordinary_import() {
    let text = r#"(module
        (import "wasm:js-string" "reverse" (func (param i32)))
        (import "wasm:js-string" "Length" (memory 1))
        (import "js-string" "length" (func))
        (import "wasm:text-encoder" "measureStringAsUTF8" (func)))"#;
    assert_eq!(check(text), Ok(()));
    let info = module(text);
    for Import { module, name, .. } in &info.imports {
        assert_eq!(strings().find(module, name), None);
    }
    let wrong = module(r#"(module (import "wasm:js-string" "length" (func)))"#);
    assert!(CompileTimeImports::NONE.check(&wrong).is_ok());
}

#[test]
fn the_first_in_order_is_refused_at_its_offset() {
    let text = r#"(module
        (import "env" "f" (func))
        (import "'" "s" (global i32))
        (import "wasm:js-string" "test" (func)))"#;
    let fault = strings().check(&module(text)).expect_err("two are wrong");
    assert_eq!(fault.kind(), DecodeErrorKind::Import { index: 1 });
    let bytes = wat(text);
    assert_eq!(&bytes[fault.offset()..][..3], b"\x03\x7f\x00", "the kind, then the type, of the global");
}

#[test]
fn the_name_of_string_constants_goes_first() {
    let mut imports = strings();
    imports.set_string_constants(Some("wasm:js-string"));
    assert_eq!(imports.find("wasm:js-string", "length"), Some(CompileTimeImport::StringConstant));
    assert_eq!(strings().find("wasm:js-string", "length"), Some(CompileTimeImport::Builtin(Builtin::Length)));
}

#[test]
fn different_options_are_different_keys() {
    let mut builtins = CompileTimeImports::new();
    builtins.enable(BuiltinSet::JsString);
    let constants = |name| {
        let mut imports = CompileTimeImports::new();
        imports.set_string_constants(Some(name));
        imports
    };
    let all = [CompileTimeImports::NONE, builtins, constants("'"), constants(""), constants("a"), strings()];
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert_eq!(strings(), strings().clone());
}
