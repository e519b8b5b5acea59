//! Modules to be cut: small ones of every kind, and a large one.

use arbitrary::Unstructured;

use crate::random::Random;

/// Twenty small modules: ten written, ten random.
pub fn small() -> Vec<Vec<u8>> {
    const TEXTS: [&str; 10] = [
        "(module)",
        "(module $named (func $f (export \"f\") (param $x i32) (result i32) (local.get $x)))",
        "(module (memory (export \"m\") 1 2) (data (i32.const 8) \"hello\") (data \"passive\") (func (memory.init 1 \
         (i32.const 0) (i32.const 0) (i32.const 0)) (data.drop 1)))",
        "(module (import \"a\" \"b\" (func (param i64))) (import \"a\" \"g\" (global i32)) (func (call 0 (i64.const -1))) \
         (memory 1) (data (global.get 0) \"x\"))",
        "(module (table 4 funcref) (elem (i32.const 1) $f $g) (elem declare func $h) (func $f) (func $g) (func $h (drop \
         (ref.func $h))) (start $f))",
        "(module (global (mut f64) (f64.const 1.5)) (func (export \"run\") (result f64) (global.get 0) (global.set 0 \
         (f64.const 2)) ))",
        "(module (@custom \"first\" (before first) \"abc\") (func (block (loop (br_if 1 (i32.const 0)) (br 0)))) (@custom \
         \"last\" (after last) \"\"))",
        "(module (func (result v128) (i8x16.add (v128.const i64x2 1 2) (v128.const i64x2 3 4))) (func (param i32 i64) \
         (result i64 i32) (local.get 1) (local.get 0)))",
        "(module (memory i64 1) (memory 1) (func (param i64) (drop (i32.load offset=70000 (local.get 0))) (i64.store 1 \
         (i32.const 0) (i64.const 0x7fffffffffffffff))))",
        "(module (func $bad (result i32)) (func $good) (func $worse (i32.add)) (data \"\"))",
    ];
    let written = TEXTS.iter().map(|text| wat::parse_str(text).unwrap());
    let random = (0..).filter_map(|seed| {
        let bytes = Random::new(seed).bytes(4000);
        let config = wasm_smith::Config {
            gc_enabled: false,
            exceptions_enabled: false,
            threads_enabled: false,
            shared_everything_threads_enabled: false,
            custom_descriptors_enabled: false,
            ..wasm_smith::Config::default()
        };
        let module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes)).ok()?.to_bytes();
        (module.len() > 200 && module.len() < 1500).then_some(module)
    });
    written.chain(random.take(10)).collect()
}

fn leb(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn section(id: u8, contents: &[u8], out: &mut Vec<u8>) {
    out.push(id);
    leb(contents.len(), out);
    out.extend_from_slice(contents);
}

fn list(count: usize, mut item: impl FnMut(usize, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    leb(count, &mut out);
    (0..count).for_each(|index| item(index, &mut out));
    out
}

/// Functions of the large module; the last ones are exported.
pub const FUNCTIONS: usize = 3500;

/// A module of about 14 MB, mostly code: functions of `i32` to `i32` of all sizes, which compute with their argument and
/// call a few small ones; a megabyte of data, and names.
pub fn large() -> Vec<u8> {
    let mut random = Random::new(14);
    let mut out = b"\0asm\x01\0\0\0".to_vec();
    section(1, &[1, 0x60, 1, 0x7f, 1, 0x7f], &mut out);
    section(3, &list(FUNCTIONS, |_, out| out.push(0)), &mut out);
    section(5, &[1, 0, 32], &mut out);
    let export = |index: usize, out: &mut Vec<u8>| {
        let name = format!("f{index}");
        leb(name.len(), out);
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        leb(FUNCTIONS - 20 + index, out);
    };
    section(7, &list(20, export), &mut out);
    let body = |index: usize, out: &mut Vec<u8>| {
        let body = body(index, &mut random);
        leb(body.len(), out);
        out.extend_from_slice(&body);
    };
    section(10, &list(FUNCTIONS, body), &mut out);
    let data = |index: usize, out: &mut Vec<u8>| {
        out.extend([0, 0x41]);
        // `i32.const` is signed: a fifth byte keeps it positive.
        leb(index << 16 | 1 << 30, out);
        out.pop();
        out.extend([0x00, 0x0b]);
        leb(1 << 16, out);
        out.extend(std::iter::repeat_n(index as u8, 1 << 16));
    };
    section(11, &list(16, data), &mut out);
    let name = |index: usize, out: &mut Vec<u8>| {
        leb(index, out);
        let name = format!("function number {index}");
        leb(name.len(), out);
        out.extend_from_slice(name.as_bytes());
    };
    let mut names = b"\x04name".to_vec();
    section(1, &list(FUNCTIONS, name), &mut names);
    section(0, &names, &mut out);
    out
}

/// The first 16 functions are small and call nothing.
fn body(index: usize, random: &mut Random) -> Vec<u8> {
    let len = if index < 16 { 20 } else { 20 + random.below(7500) };
    let mut body = vec![0, 0x20, 0];
    while body.len() < len {
        match random.below(12) {
            0 if index >= 16 => body.extend([0x10, random.below(16) as u8]),
            // Within the memory: `i32.load8_u` of the low bits.
            1 => body.extend([0x41, 0xff, 0x00, 0x71, 0x2d, 0, 0]),
            2 => body.extend([0x22, 0, 0x20, 0, 0x6a]),
            // `if (result i32)` of the value's lowest bit.
            3 => body.extend([0x41, 1, 0x71, 0x04, 0x7f, 0x20, 0, 0x05, 0x41, 7, 0x0b]),
            _ => {
                body.push(0x41);
                body.extend([0x80 | random.below(128) as u8, random.below(128) as u8]);
                // add, sub, mul, and, or, xor, shl, rotl
                body.push([0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x77][random.below(8)]);
            }
        }
    }
    body.push(0x0b);
    body
}
