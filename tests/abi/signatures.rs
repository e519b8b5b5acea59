//! The function types to try: those where the convention changes its mind, and random ones.

use wasm::types::{RefType, ValType};

/// Every type that the convention treats in its own way.
pub const TYPES: [ValType; 7] = [
    ValType::I32,
    ValType::I64,
    ValType::F32,
    ValType::F64,
    ValType::V128,
    ValType::Ref(RefType::FUNCREF),
    ValType::Ref(RefType::EXTERNREF),
];

/// Parameters and results.
pub type Shape = (Vec<ValType>, Vec<ValType>);

/// A generator of numbers that is the same in every run.
pub struct Random(u64);

impl Random {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 32) as usize % end
    }

    /// The bits of a value, all of them random.
    pub fn value(&mut self) -> u128 {
        u128::from(self.bits()) << 64 | u128::from(self.bits())
    }

    /// Types, fewer than `end`.
    pub fn types(&mut self, end: usize) -> Vec<ValType> {
        let count = self.below(end);
        self.exactly(count)
    }

    /// This many types.
    pub fn exactly(&mut self, count: usize) -> Vec<ValType> {
        (0..count).map(|_| TYPES[self.below(TYPES.len())]).collect()
    }

    /// The numbers below `end` in random order.
    pub fn permutation(&mut self, end: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..end).collect();
        for at in (1..end).rev() {
            order.swap(at, self.below(at + 1));
        }
        order
    }
}

/// The shapes at the edges: registers just full and just overflown, alone and beside each other, odd stack slots in
/// front of aligned ones.
pub fn edges() -> Vec<Shape> {
    let mut shapes = vec![(vec![], vec![])];
    for ty in TYPES {
        for count in [1, 2, 4, 5, 6, 7, 8, 9, 10, 16, 20] {
            shapes.push((vec![ty; count], vec![ty]));
            shapes.push((vec![ty], vec![ty; count]));
            shapes.push((vec![ty; count], vec![ty; count]));
        }
    }
    for ints in [4, 5, 6, 8, 9] {
        for vectors in [7, 8, 9] {
            let mut types = vec![ValType::I64; ints];
            types.extend(vec![ValType::V128; vectors]);
            let mut mixed = vec![ValType::F32; vectors];
            mixed.extend(vec![ValType::I32; ints]);
            shapes.push((types.clone(), mixed.clone()));
            shapes.push((mixed, types));
        }
    }
    for odd in [ValType::I32, ValType::I64] {
        let mut types = vec![ValType::V128; 8];
        types.extend([odd; 6]);
        types.extend([ValType::V128, ValType::F32, ValType::V128, odd, ValType::F64, ValType::V128]);
        shapes.push((types, vec![odd]));
    }
    shapes
}

/// The largest shapes that a module may have.
pub fn largest(random: &mut Random) -> Vec<Shape> {
    let mut shapes: Vec<Shape> =
        [ValType::I32, ValType::F64, ValType::V128].map(|ty| (vec![ty; 1000], vec![ty; 1000])).into();
    shapes.push((random.exactly(1000), random.exactly(1000)));
    shapes.push((random.exactly(1000), vec![]));
    shapes.push((vec![], random.exactly(1000)));
    shapes.push((random.exactly(100), random.exactly(100)));
    shapes
}
