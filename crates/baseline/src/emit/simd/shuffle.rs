//! `i8x16.shuffle`: the patterns that are one or two instructions, and what does for the rest: a look-up of bytes in each
//! operand, and the union of both.
//!
//! A pattern is looked for in lanes of 64, 32 and 16 bits where it consists of these, since instructions name such lanes in
//! an immediate.

use crate::asm::x64::{SseOp, Xmm};
use crate::function::Function;
use crate::operand::SCRATCH_FLOAT;

/// Which lane of 32 goes to each place: 0 to 15 are the first operand's, 16 to 31 the second's.
type Lanes = [u8; 16];

/// How one operand alone is shuffled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum One {
    /// Not at all.
    Identity,
    /// By an instruction with an immediate.
    Imm(SseOp, u8),
    /// Rotated down by this many bytes.
    Rotate(u8),
    /// By looking up bytes.
    Lookup,
}

/// How two operands are shuffled together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Two {
    /// By an instruction whose first source is the first operand, or with `swapped` the second.
    Binary { op: SseOp, swapped: bool },
    /// Likewise, with an immediate.
    BinaryImm { op: SseOp, imm: u8, swapped: bool },
    /// Each by a `pshufd`, then 16-bit lanes of the second operand over the first.
    Dwords { first: u8, second: u8, blend: u8 },
    /// By looking up bytes in both.
    Lookup,
}

impl Function<'_> {
    /// `i8x16.shuffle`
    pub(super) fn shuffle(&mut self, lanes: Lanes) {
        if lanes.iter().all(|&lane| lane < 16) {
            self.drop_top();
            let source = self.pop_float();
            return self.shuffle_one(source, lanes);
        }
        let second = self.pop_float();
        if lanes.iter().all(|&lane| lane >= 16) {
            self.drop_top();
            return self.shuffle_one(second, lanes.map(|lane| lane & 15));
        }
        let first = self.pop_float();
        if first == second {
            return self.shuffle_one(first, lanes.map(|lane| lane & 15));
        }
        self.shuffle_two(first, second, lanes);
    }

    fn shuffle_one(&mut self, source: Xmm, lanes: Lanes) {
        let pattern = One::of(&lanes);
        if pattern == One::Identity {
            return self.push_vector(source);
        }
        let result = self.reuse_float(source);
        match pattern {
            One::Identity => {}
            One::Imm(op, imm) => self.vector_unary_imm(op, result, source, imm),
            One::Rotate(count) => self.vector_imm(SseOp::PALIGNR, result, source, source, count),
            One::Lookup => {
                let table = self.constant_128(u128::from_le_bytes(lanes));
                self.vector(SseOp::PSHUFB, result, source, table);
            }
        }
        self.push_vector(result);
    }

    fn shuffle_two(&mut self, first: Xmm, second: Xmm, lanes: Lanes) {
        let result = self.reuse_float(first);
        match Two::of(&lanes) {
            Two::Binary { op, swapped: false } => self.vector(op, result, first, second),
            Two::Binary { op, swapped: true } => self.vector(op, result, second, first),
            Two::BinaryImm { op, imm, swapped: false } => self.vector_imm(op, result, first, second, imm),
            Two::BinaryImm { op, imm, swapped: true } => self.vector_imm(op, result, second, first, imm),
            Two::Dwords { first: one, second: other, blend } => {
                self.vector_unary_imm(SseOp::PSHUFD, SCRATCH_FLOAT, second, other);
                self.vector_unary_imm(SseOp::PSHUFD, result, first, one);
                self.vector_imm(SseOp::PBLENDW, result, result, SCRATCH_FLOAT, blend);
            }
            Two::Lookup => {
                // An index with its top bit set gives zero.
                let of_first = self.constant_128(u128::from_le_bytes(lanes.map(table_index)));
                let of_second = self.constant_128(u128::from_le_bytes(lanes.map(|lane| table_index(lane ^ 16))));
                self.vector(SseOp::PSHUFB, SCRATCH_FLOAT, second, of_second);
                self.vector(SseOp::PSHUFB, result, first, of_first);
                self.vector(SseOp::POR, result, result, SCRATCH_FLOAT);
            }
        }
        self.push_vector(result);
    }
}

/// Where `pshufb` finds a lane of the first operand; of the other one, nothing.
fn table_index(lane: u8) -> u8 {
    if lane < 16 { lane } else { 0x80 }
}

/// The pattern in lanes of `SIZE` bytes, if it consists of these. There are `16 / SIZE` of them in the answer.
fn in_lanes<const COUNT: usize>(lanes: &Lanes) -> Option<[u8; COUNT]> {
    let size = 16 / COUNT;
    let mut wide = [0; COUNT];
    for (to, from) in wide.iter_mut().zip(lanes.chunks_exact(size)) {
        let lowest = from[0];
        let whole = from.iter().zip(lowest..).all(|(&lane, expected)| lane == expected);
        if !whole || usize::from(lowest) % size != 0 {
            return None;
        }
        *to = lowest / size as u8;
    }
    Some(wide)
}

/// Four lanes of four as an immediate has them.
fn immediate(lanes: [u8; 4]) -> u8 {
    lanes.iter().rev().fold(0, |imm, lane| imm << 2 | lane & 3)
}

impl One {
    pub(super) fn of(lanes: &Lanes) -> One {
        if let Some(dwords) = in_lanes::<4>(lanes) {
            return match immediate(dwords) {
                0b11_10_01_00 => One::Identity,
                imm => One::Imm(SseOp::PSHUFD, imm),
            };
        }
        if let Some([a, b, c, d, e, f, g, h]) = in_lanes::<8>(lanes) {
            if [e, f, g, h] == [4, 5, 6, 7] && [a, b, c, d].iter().all(|&lane| lane < 4) {
                return One::Imm(SseOp::PSHUFLW, immediate([a, b, c, d]));
            }
            if [a, b, c, d] == [0, 1, 2, 3] && [e, f, g, h].iter().all(|&lane| lane >= 4) {
                return One::Imm(SseOp::PSHUFHW, immediate([e, f, g, h]));
            }
        }
        let start = lanes[0];
        if lanes.iter().zip(start..).all(|(&lane, expected)| lane == expected & 15) {
            return One::Rotate(start);
        }
        One::Lookup
    }
}

/// Interleavings of bytes, of which the machine has instructions: those of the low halves and of the high ones.
const BYTES: [(SseOp, u8); 2] = [(SseOp::PUNPCKLBW, 0), (SseOp::PUNPCKHBW, 8)];
const WORDS: [(SseOp, u8); 2] = [(SseOp::PUNPCKLWD, 0), (SseOp::PUNPCKHWD, 4)];
const DWORDS: [(SseOp, u8); 2] = [(SseOp::PUNPCKLDQ, 0), (SseOp::PUNPCKHDQ, 2)];
const QWORDS: [(SseOp, u8); 2] = [(SseOp::PUNPCKLQDQ, 0), (SseOp::PUNPCKHQDQ, 1)];

impl Two {
    pub(super) fn of(lanes: &Lanes) -> Two {
        Two::single(lanes, false)
            .or_else(|| Two::single(&lanes.map(|lane| lane ^ 16), true))
            .or_else(|| Two::dwords(lanes))
            .unwrap_or(Two::Lookup)
    }

    /// A pattern that is one instruction.
    fn single(lanes: &Lanes, swapped: bool) -> Option<Two> {
        let binary = |op| Two::Binary { op, swapped };
        let binary_imm = |op, imm| Two::BinaryImm { op, imm, swapped };
        if let Some(op) = in_lanes::<2>(lanes).and_then(|wide| interleaving(wide, QWORDS)) {
            return Some(binary(op));
        }
        if let Some(wide) = in_lanes::<4>(lanes) {
            if let Some(op) = interleaving(wide, DWORDS) {
                return Some(binary(op));
            }
            if wide[..2].iter().all(|&lane| lane < 4) && wide[2..].iter().all(|&lane| lane >= 4) {
                return Some(binary_imm(SseOp::SHUFPS, immediate(wide)));
            }
        }
        if let Some(wide) = in_lanes::<8>(lanes) {
            if let Some(op) = interleaving(wide, WORDS) {
                return Some(binary(op));
            }
            if wide.iter().zip(0..).all(|(&lane, place)| lane & 7 == place) {
                let second = wide.iter().rev().fold(0, |imm, lane| imm << 1 | lane >> 3);
                return Some(binary_imm(SseOp::PBLENDW, second));
            }
        }
        if let Some(op) = interleaving(*lanes, BYTES) {
            return Some(binary(op));
        }
        // The first source is the upper half of what is cut out of.
        let start = lanes[0] ^ 16;
        let cut = lanes.iter().zip(start..).all(|(&lane, expected)| lane ^ 16 == expected & 31);
        (cut && start < 16).then(|| binary_imm(SseOp::PALIGNR, start))
    }

    /// A pattern of lanes of 32 bits.
    fn dwords(lanes: &Lanes) -> Option<Two> {
        let wide = in_lanes::<4>(lanes)?;
        let blend = wide.iter().rev().fold(0, |imm, lane| imm << 2 | if *lane >= 4 { 3 } else { 0 });
        Some(Two::Dwords { first: immediate(wide), second: immediate(wide), blend })
    }
}

/// The instruction that interleaves lanes like this.
fn interleaving<const COUNT: usize>(wide: [u8; COUNT], ops: [(SseOp, u8); 2]) -> Option<SseOp> {
    let (op, start) = ops.into_iter().find(|&(_, start)| wide[0] == start)?;
    let places = wide.chunks_exact(2).zip(start..);
    let found = places.into_iter().all(|(pair, lane)| pair[0] == lane && pair[1] == lane + COUNT as u8);
    found.then_some(op)
}
