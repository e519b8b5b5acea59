//! The functions to run: every operator with its operands in every kind of place; and operands that are worth trying.

use wasm::ops::SimdPlain;
use wasm::types::ValType::{self, F32, F64, I32, I64, V128};

/// A function that applies an operator to its parameters.
pub struct Form {
    /// In the text format.
    pub text: String,
    /// The types of its parameters.
    pub params: Vec<ValType>,
    /// The types of its results: those of the operator, twice.
    pub results: Vec<ValType>,
    /// Does the result depend on whether the machine can multiply and add at once?
    pub depends_on_fma: bool,
}

/// The module of these functions; the one behind them does nothing.
pub fn module(forms: &[Form]) -> String {
    let functions: String = forms.iter().map(|form| form.text.as_str()).collect();
    format!("(module (memory 1) {functions} (func $nothing))")
}

/// All functions.
pub fn all() -> Vec<Form> {
    let mut forms = Vec::new();
    for op in SimdPlain::ALL {
        add(&mut forms, op.params(), op.results(), op.name());
    }
    add_shifts(&mut forms);
    add_lanes(&mut forms);
    add_shuffles(&mut forms);
    add_memory(&mut forms);
    forms
}

/// Adds an operator: first with operands in some place, then with the parameters again, which must not have changed.
fn add(forms: &mut Vec<Form>, params: &[ValType], results: &[ValType], op: &str) {
    let numbered = || params.iter().zip(0..);
    let plain: String = numbered().map(|(_, index)| format!("local.get {index} ")).collect();
    let copied: String = numbered().map(|(&ty, index)| format!("local.get {index} {} ", copy(ty))).collect();
    let mut places =
        vec![plain.clone(), copied.clone(), format!("{copied} call $nothing"), format!("call $nothing {plain}")];
    if params.len() > 1 && params.iter().all(|&ty| ty == V128) {
        places.push("local.get 0 ".repeat(params.len()));
        places.push(format!("local.get 0 {} local.tee 0 {}", copy(V128), "local.get 0 ".repeat(params.len() - 1)));
    }
    let head = |kind: &str, types: &[ValType]| types.iter().map(|ty| format!("({kind} {ty}) ")).collect::<String>();
    let results: Vec<ValType> = [results, results].concat();
    let head = head("param", params) + &head("result", &results);
    forms.extend(places.into_iter().map(|operands| Form {
        text: format!("(func {head} {operands} {op} {plain} {op})\n"),
        params: params.to_vec(),
        results: results.clone(),
        depends_on_fma: op.contains("relaxed_madd") || op.contains("relaxed_nmadd"),
    }));
}

/// Copies a value to a register of its own.
fn copy(ty: ValType) -> &'static str {
    match ty {
        I32 => "i32.const 0 i32.xor",
        I64 => "i64.const 0 i64.xor",
        F32 => "f32.neg f32.neg",
        F64 => "f64.neg f64.neg",
        V128 | ValType::Ref(_) => "v128.not v128.not",
    }
}

fn add_shifts(forms: &mut Vec<Form>) {
    for (shape, bits) in [("i8x16", 8), ("i16x8", 16), ("i32x4", 32), ("i64x2", 64)] {
        for op in ["shl", "shr_s", "shr_u"] {
            for count in [0, 1, bits / 2, bits - 1, bits, bits + 3] {
                add(forms, &[V128], &[V128], &format!("i32.const {count} {shape}.{op}"));
            }
        }
    }
}

fn add_lanes(forms: &mut Vec<Form>) {
    let shapes = [
        ("i8x16", 16, I32, "-3"),
        ("i16x8", 8, I32, "-3"),
        ("i32x4", 4, I32, "-3"),
        ("i64x2", 2, I64, "0x123456789abc"),
        ("f32x4", 4, F32, "1.5"),
        ("f64x2", 2, F64, "1.5"),
    ];
    for (shape, lanes, scalar, constant) in shapes {
        for value in ["0", constant] {
            add(forms, &[], &[V128], &format!("{scalar}.const {value} {shape}.splat"));
        }
        for lane in 0..lanes {
            let suffixes: &[&str] = if lanes >= 8 { &["_s", "_u"] } else { &[""] };
            for suffix in suffixes {
                add(forms, &[V128], &[scalar], &format!("{shape}.extract_lane{suffix} {lane}"));
            }
            add(forms, &[V128, scalar], &[V128], &format!("{shape}.replace_lane {lane}"));
            add(forms, &[V128], &[V128], &format!("{scalar}.const {constant} {shape}.replace_lane {lane}"));
        }
    }
    for halves in ["0 0", "-1 -1", "7 7", "7 0", "0 7", "7 8"] {
        add(forms, &[], &[V128], &format!("v128.const i64x2 {halves}"));
    }
}

fn add_shuffles(forms: &mut Vec<Form>) {
    let mut random = Random::new(1);
    let mut patterns: Vec<[usize; 16]> = Vec::new();
    for size in [1, 2, 4, 8] {
        let count = 16 / size;
        let widen = |wide: &dyn Fn(usize) -> usize| std::array::from_fn(|at| wide(at / size) * size + at % size);
        for (even, odd) in [(0, count), (count, 0)] {
            for start in [0, count / 2] {
                patterns.push(widen(&|at| at / 2 + start + if at % 2 == 0 { even } else { odd }));
            }
        }
        for _ in 0..8 {
            let lanes: [usize; 16] = std::array::from_fn(|_| random.bits() as usize % (2 * count));
            patterns.push(widen(&|at| lanes[at]));
            // Of one operand.
            patterns.push(widen(&|at| lanes[at] % count));
            patterns.push(widen(&|at| lanes[at] % count + count));
            // A half of each.
            patterns.push(widen(&|at| lanes[at] % count + at * 2 / count * count));
            // Each in its place.
            patterns.push(widen(&|at| at + lanes[at] / count * count));
            // Within each half.
            patterns.push(widen(&|at| at * 2 / count * (count / 2) + lanes[at] % (count / 2)));
        }
    }
    for start in 0..32 {
        patterns.push(std::array::from_fn(|at| (at + start) % 32));
        patterns.push(std::array::from_fn(|at| (at + start) % 16 + start / 16 * 16));
    }
    for pattern in patterns {
        let lanes: String = pattern.iter().map(|lane| format!(" {lane}")).collect();
        add(forms, &[V128, V128], &[V128], &format!("i8x16.shuffle{lanes}"));
    }
}

/// Loads from places that are all in memory; stores with a load after them.
fn add_memory(forms: &mut Vec<Form>) {
    let extending = ["8x8_s", "8x8_u", "16x4_s", "16x4_u", "32x2_s", "32x2_u", "32_zero", "64_zero"];
    for load in extending.iter().chain(&["", "8_splat", "16_splat", "32_splat", "64_splat"]) {
        for index in ["i32.const 1023 i32.and", "drop i32.const 40"] {
            add(forms, &[I32], &[V128], &format!("{index} v128.load{load} offset=5"));
        }
    }
    let store = "local.set 0 i32.const 40 local.get 0";
    add(forms, &[V128], &[V128], &format!("{store} v128.store offset=5 i32.const 38 v128.load offset=4"));
    for (width, lanes) in [(8, 16), (16, 8), (32, 4), (64, 2)] {
        for lane in 0..lanes {
            let access = format!("_lane offset=5 {lane}");
            add(forms, &[V128], &[V128], &format!("{store} v128.load{width}{access}"));
            let set = format!("{store} v128.store{width}{access} i32.const 38 v128.load offset=4");
            add(forms, &[V128], &[V128], &set);
        }
    }
}

/// A generator of operands that is the same in every run.
pub struct Random(u64);

/// Numbers at the edges of what lanes hold and of what converts: of 32 bits, the last few floats.
const EDGES_32: [u32; 16] = [
    0,
    1,
    0x7f,
    0xff80,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x8000_8000,
    0x7fc0_0000,
    0xffa1_2345,
    0x7f80_0000,
    0xff80_0000,
    0x4f00_0000,
    0xcf00_0001,
    0x4f80_0000,
    0x4020_0000,
];

/// The same of 64 bits.
const EDGES_64: [u64; 14] = [
    0,
    1,
    u64::MAX,
    1 << 63,
    (1 << 63) - 1,
    0xffff_ffff_0000_0000,
    0x7ff8_0000_0000_0000,
    0xfff4_1234_5678_9abc,
    0x7ff0_0000_0000_0000,
    0x41df_ffff_ffc0_0000,
    0xc1e0_0000_0020_0000,
    0x41ef_ffff_ffe0_0000,
    0x41f0_0000_0000_0000,
    0x4004_0000_0000_0000,
];

impl Random {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Random {
        Random((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.bits() as usize % values.len()]
    }

    /// A value of a type.
    pub fn value(&mut self, ty: ValType) -> u128 {
        match ty {
            I32 | F32 => u128::from(self.dword()),
            I64 | F64 | ValType::Ref(_) => u128::from(self.qword()),
            V128 => self.vector(),
        }
    }

    fn dword(&mut self) -> u32 {
        match self.bits() % 4 {
            0 => self.bits() as u32,
            1 => self.bits() as u32 % 70,
            2 => (self.bits() as i16 as f32 / 8.0).to_bits(),
            _ => self.one_of(&EDGES_32),
        }
    }

    fn qword(&mut self) -> u64 {
        match self.bits() % 4 {
            0 => self.bits() << 8 ^ self.bits(),
            1 => (self.bits() as i16 as f64 / 8.0).to_bits(),
            2 => u64::from(self.dword()) << 32 | u64::from(self.dword()),
            _ => self.one_of(&EDGES_64),
        }
    }

    fn vector(&mut self) -> u128 {
        match self.bits() % 3 {
            // Small lanes around the edges of bytes.
            0 => (0..16).fold(0, |lanes, _| lanes << 8 | u128::from(self.one_of(&[0, 1, 0x7f, 0x80, 0xff, 0x10u8]))),
            _ => u128::from(self.qword()) << 64 | u128::from(self.qword()),
        }
    }
}
