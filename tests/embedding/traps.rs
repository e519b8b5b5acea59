//! Every reason for a trap, with the functions that were active and where each stood.

use upshift::{Trap, WasmBacktrace};

use super::instantiate;

const TRAPS: &str = r#"(module $named
    (memory 1)
    (table $t 3 funcref)
    (elem (table $t) (i32.const 1) func $other)
    (type $int (func (result i32)))
    (func $other)
    (func $unreachable unreachable)
    (func $load (drop (i32.load (i32.const 65533))))
    (func $store (i64.store offset=4294967295 (i32.const 0) (i64.const 1)))
    (func $fill (memory.fill (i32.const 65530) (i32.const 1) (i32.const 7)))
    (func $copy (memory.copy (i32.const 0) (i32.const 65530) (i32.const 7)))
    (func $divide (drop (i32.div_s (i32.const 1) (i32.const 0))))
    (func $remainder (drop (i64.rem_u (i64.const 1) (i64.const 0))))
    (func $overflow (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
    (func $convert (drop (i32.trunc_f64_s (f64.const nan))))
    (func $too_large (drop (i32.trunc_f32_s (f32.const 1e20))))
    (func $get (drop (table.get $t (i32.const 3))))
    (func $set (table.set $t (i32.const -1) (ref.null func)))
    (func $table_fill (table.fill $t (i32.const 2) (ref.null func) (i32.const 2)))
    (func $undefined (drop (call_indirect $t (type $int) (i32.const 3))))
    (func $null (drop (call_indirect $t (type $int) (i32.const 0))))
    (func $signature (drop (call_indirect $t (type $int) (i32.const 1))))
    (func $recurse (call $recurse))
    EXPORTS)"#;

const REASONS: [(&str, Trap); 18] = [
    ("unreachable", Trap::UnreachableCodeReached),
    ("load", Trap::MemoryOutOfBounds),
    ("store", Trap::MemoryOutOfBounds),
    ("fill", Trap::MemoryOutOfBounds),
    ("copy", Trap::MemoryOutOfBounds),
    ("divide", Trap::IntegerDivisionByZero),
    ("remainder", Trap::IntegerDivisionByZero),
    ("overflow", Trap::IntegerOverflow),
    ("convert", Trap::BadConversionToInteger),
    ("too_large", Trap::IntegerOverflow),
    ("get", Trap::TableOutOfBounds),
    ("set", Trap::TableOutOfBounds),
    ("table_fill", Trap::TableOutOfBounds),
    ("undefined", Trap::TableOutOfBounds),
    ("null", Trap::IndirectCallToNull),
    ("signature", Trap::BadSignature),
    ("recurse", Trap::StackOverflow),
    ("outermost", Trap::UnreachableCodeReached),
];

#[test]
fn every_reason_with_its_frames() {
    // Each function is called by a nameless one, which is exported.
    let exports: String = REASONS[..17]
        .iter()
        .map(|(name, _)| format!(r#"(func (export "{name}") (nop) (call ${name}))"#))
        .chain([r#"(func $outermost (export "outermost") unreachable)"#.to_string()])
        .collect();
    let (mut store, instance) = instantiate((), &TRAPS.replace("EXPORTS", &exports), |_| Vec::new());
    for (name, reason) in REASONS {
        let func = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
        for _ in 0..2 {
            let error = func.call(&mut store, ()).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&reason), "{name}");
            let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
            assert_eq!(frames[0].func_name(), Some(name));
            assert_eq!(frames[0].module_name(), Some("named"));
            if name == "outermost" {
                assert_eq!(frames.len(), 1);
                continue;
            }
            if name == "recurse" {
                assert!(frames.len() > 1000);
                continue;
            }
            // The call stands behind the declaration of locals and a `nop`.
            assert_eq!(frames.len(), 2, "{name}");
            assert_eq!((frames[1].func_name(), frames[1].func_offset()), (None, Some(2)), "{name}");
            let (offset, start) = (frames[0].module_offset().unwrap(), frames[0].func_offset().unwrap());
            assert!(offset > start && start > 0, "{name}: {frames:?}");
            let text = format!("{error:?}");
            assert!(text.contains(&format!("named!{name}")) && text.contains(&reason.to_string()), "{text}");
        }
    }
}

#[test]
fn the_offset_is_that_of_the_instruction() {
    let text = r#"(module (memory 1)
        (func (export "f") (param i32) (result i32)
            (drop (i32.load8_u (i32.mul (local.get 0) (i32.const 10000))))
            (i32.store16 (i32.sub (local.get 0) (i32.const 1)) (i32.const 5))
            (i32.add
                (i32.rem_u (i32.const 8) (i32.sub (local.get 0) (i32.const 2)))
                (i32.div_u (i32.const 9) (i32.sub (local.get 0) (i32.const 3))))))"#;
    let (mut store, instance) = instantiate((), text, |_| Vec::new());
    let func = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    let module = instance.module(&store);
    for (argument, opcode) in [(7, 0x2d), (0, 0x3b), (2, 0x70), (3, 0x6e)] {
        let error = func.call(&mut store, argument).unwrap_err();
        let frame = &error.downcast_ref::<WasmBacktrace>().unwrap().frames()[0];
        assert_eq!(module.wire_bytes()[frame.module_offset().unwrap()], opcode);
    }
    assert_eq!(func.call(&mut store, 4).unwrap(), 9);
}

#[test]
fn segments_that_do_not_fit_trap() {
    for (text, reason) in [
        (r#"(module (memory 1) (data (i32.const 65535) "ab"))"#, Trap::MemoryOutOfBounds),
        (r#"(module (memory 0) (data (i32.const -1) ""))"#, Trap::MemoryOutOfBounds),
        (r#"(module (table 1 funcref) (func $f) (elem (i32.const 1) $f))"#, Trap::TableOutOfBounds),
    ] {
        let engine = upshift::Engine::default();
        let module = upshift::Module::new(&engine, text).unwrap();
        let mut store = upshift::Store::new(&engine, ());
        for _ in 0..3 {
            let error = upshift::Instance::new(&mut store, &module, &[]).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&reason), "{text}");
        }
    }
}
