//! The usual forms of the usual operators. What this loop leaves alone is valid or not by the whole rules.

use super::{Frame, Kind, Stacks, Walk};
use crate::validate::signature::{CLASSES, Class, FIRST_RELAXED, SCALAR, VECTOR};
use crate::validate::ty::{Ty, Types};

impl Walk<'_> {
    /// Takes operators as long as they are of a usual form. An operator that is not is left whole: nothing has
    /// changed before every check of an arm has passed.
    #[inline(never)]
    pub(super) fn hot(&mut self) {
        let bytes = self.bytes;
        let facts = self.facts;
        let functions = &self.info.functions[..];
        let sign_extension = facts.features.sign_extension;
        let simd = facts.features.simd;
        let several_tables = facts.features.reference_types;
        let memory = facts.memories.first().copied().unwrap_or(Ty::NOTHING);
        let Stacks { operands, frames, locals, inits, .. } = &mut *self.stacks;
        let operands = &mut operands[..];
        let locals = &locals[..];
        let inits = inits.len() as u32;
        let (mut pos, mut top) = (self.pos, self.top);

        /// The value of an `Option`, or the end of the loop.
        macro_rules! some {
            ($value:expr) => {
                match $value {
                    Some(value) => value,
                    None => break,
                }
            };
        }
        macro_rules! require {
            ($holds:expr) => {
                if !$holds {
                    break;
                }
            };
        }
        /// The operand at this depth; 1 is the top.
        macro_rules! at {
            ($depth:expr) => {
                *some!(operands.get(top.wrapping_sub($depth)))
            };
        }
        macro_rules! push {
            ($ty:expr) => {{
                *some!(operands.get_mut(top)) = $ty;
                top += 1;
            }};
        }
        /// Writes the operand at this depth, which has been read.
        macro_rules! set {
            ($depth:expr, $ty:expr) => {
                *some!(operands.get_mut(top.wrapping_sub($depth))) = $ty
            };
        }
        macro_rules! label {
            ($depth:expr) => {
                some!(frames.get(frames.len().wrapping_sub($depth as usize + 1))).label
            };
        }

        /// Takes the parameters below this place and puts the results there.
        macro_rules! call {
            ($behind:expr, $signature:expr) => {{
                let params = $signature.params.of(&facts.pool);
                let base = ($behind).wrapping_sub(params.len());
                require!(some!(operands.get(base..$behind)) == params);
                let results = $signature.results.of(&facts.pool);
                let end = base + results.len();
                some!(operands.get_mut(base..end)).copy_from_slice(results);
                top = end;
            }};
        }

        loop {
            let op = *some!(bytes.get(pos));
            match CLASSES[usize::from(op)] {
                Class::LocalGet => {
                    let (index, next) = some!(index(bytes, pos + 1));
                    let ty = *some!(locals.get(index as usize));
                    require!(!ty.is_marked());
                    push!(ty);
                    pos = next;
                    // Two in a row are common enough to save a jump.
                    if bytes.get(pos) == Some(&0x20) {
                        let (index, next) = some!(self::index(bytes, pos + 1));
                        let ty = *some!(locals.get(index as usize));
                        require!(!ty.is_marked());
                        push!(ty);
                        pos = next;
                    }
                }
                // The type of a local without a value is marked and fits no operand.
                Class::LocalSet => {
                    let (index, next) = some!(index(bytes, pos + 1));
                    require!(at!(1) == *some!(locals.get(index as usize)));
                    top -= 1;
                    pos = next;
                }
                Class::LocalTee => {
                    let (index, next) = some!(index(bytes, pos + 1));
                    require!(at!(1) == *some!(locals.get(index as usize)));
                    pos = next;
                }
                Class::I32Const => {
                    let next = some!(skip_i32(bytes, pos + 1));
                    // A constant is mostly the second operand of the operator behind it.
                    if let Some(&op) = bytes.get(next)
                        && CLASSES[usize::from(op)] == Class::Binary
                    {
                        let signature = &SCALAR[op as usize];
                        require!(at!(1) == Ty::I32 && signature.params[0] == Ty::I32);
                        set!(1, signature.result);
                        pos = next + 1;
                        continue;
                    }
                    push!(Ty::I32);
                    pos = next;
                }
                Class::Binary => {
                    let signature = &SCALAR[op as usize];
                    let ty = signature.params[0];
                    require!(at!(1) == ty && at!(2) == ty);
                    set!(2, signature.result);
                    top -= 1;
                    pos += 1;
                }
                Class::Unary => {
                    let signature = &SCALAR[op as usize];
                    require!(at!(1) == signature.params[0] && (op < 0xc0 || sign_extension));
                    set!(1, signature.result);
                    pos += 1;
                }
                Class::Load => {
                    let access = &SCALAR[op as usize];
                    let next = some!(skip_mem_arg(bytes, pos + 1, access.align_log2));
                    require!(at!(1) == memory);
                    set!(1, access.result);
                    pos = next;
                }
                Class::Store => {
                    let access = &SCALAR[op as usize];
                    let next = some!(skip_mem_arg(bytes, pos + 1, access.align_log2));
                    require!(at!(1) == access.result && at!(2) == memory);
                    top -= 2;
                    pos = next;
                }
                Class::GlobalGet => {
                    let (index, next) = some!(index(bytes, pos + 1));
                    push!(some!(facts.globals.get(index as usize)).unmarked());
                    pos = next;
                }
                // The type of one that cannot be set is marked and fits no operand.
                Class::GlobalSet => {
                    let (index, next) = some!(index(bytes, pos + 1));
                    require!(at!(1) == *some!(facts.globals.get(index as usize)));
                    top -= 1;
                    pos = next;
                }
                // Without parameters, with at most one scalar result.
                Class::Block => {
                    let results = match *some!(bytes.get(pos + 1)) {
                        0x40 => Types::EMPTY,
                        0x7f => Types::one(Ty::I32),
                        0x7e => Types::one(Ty::I64),
                        0x7d => Types::one(Ty::F32),
                        0x7c => Types::one(Ty::F64),
                        _ => break,
                    };
                    let (kind, label) = match op {
                        0x02 => (Kind::Block, results),
                        0x03 => (Kind::Loop, Types::EMPTY),
                        _ => (Kind::If, results),
                    };
                    if kind == Kind::If {
                        require!(at!(1) == Ty::I32);
                        set!(1, Ty::BARRIER);
                    } else {
                        push!(Ty::BARRIER);
                    }
                    let height = top as u32;
                    let params = Types::EMPTY;
                    frames.push(Frame { height, inits, label, params, results, seen: 0, kind, unreachable: false });
                    pos += 2;
                }
                // Of a block without parameters.
                Class::Else => {
                    let frame = some!(frames.last_mut());
                    require!(frame.kind == Kind::If && frame.params.len == 0 && frame.inits == inits);
                    let height = frame.height as usize;
                    match frame.results.only() {
                        None => require!(frame.results.len == 0 && top == height),
                        Some(ty) => require!(top == height + 1 && at!(1) == ty),
                    }
                    frame.kind = Kind::Else;
                    frame.unreachable = false;
                    top = height;
                    pos += 1;
                }
                // Of a block, not of the function.
                Class::End => {
                    let frame = some!(frames.last());
                    require!(frame.kind != Kind::Function && frame.inits == inits);
                    let height = frame.height as usize;
                    match frame.results.only() {
                        None => {
                            require!(frame.results.len == 0 && frame.params.len == 0 && top == height);
                            top -= 1;
                        }
                        Some(ty) => {
                            require!(frame.kind != Kind::If && top == height + 1 && at!(1) == ty);
                            set!(2, ty);
                            top = height;
                        }
                    }
                    frames.pop();
                    pos += 1;
                }
                Class::Br => {
                    let (depth, next) = some!(index(bytes, pos + 1));
                    let label = label!(depth);
                    match label.only() {
                        None => require!(label.len == 0),
                        Some(ty) => require!(at!(1) == ty),
                    }
                    let frame = some!(frames.last_mut());
                    frame.unreachable = true;
                    top = frame.height as usize;
                    pos = next;
                }
                Class::BrIf => {
                    let (depth, next) = some!(index(bytes, pos + 1));
                    let label = label!(depth);
                    require!(at!(1) == Ty::I32);
                    match label.only() {
                        None => require!(label.len == 0),
                        Some(ty) => require!(at!(2) == ty),
                    }
                    top -= 1;
                    pos = next;
                }
                Class::Return => {
                    let results = some!(frames.first()).results;
                    match results.only() {
                        None => require!(results.len == 0),
                        Some(ty) => require!(at!(1) == ty),
                    }
                    let frame = some!(frames.last_mut());
                    frame.unreachable = true;
                    top = frame.height as usize;
                    pos += 1;
                }
                Class::Unreachable => {
                    let frame = some!(frames.last_mut());
                    frame.unreachable = true;
                    top = frame.height as usize;
                    pos += 1;
                }
                Class::Call => {
                    let (func, next) = some!(index(bytes, pos + 1));
                    let ty = some!(functions.get(func as usize));
                    call!(top, some!(facts.signatures.get(ty.index())));
                    pos = next;
                }
                Class::CallIndirect => {
                    let (ty, next) = some!(index(bytes, pos + 1));
                    let (table, next) = some!(index(bytes, next));
                    let table = some!(facts.tables.get(table as usize));
                    require!(several_tables && at!(1) == table.index && table.element == Ty::FUNCREF);
                    call!(top - 1, some!(facts.signatures.get(ty as usize)));
                    pos = next;
                }
                Class::Nop => pos += 1,
                Class::Drop => {
                    require!(at!(1) != Ty::BARRIER);
                    top -= 1;
                    pos += 1;
                }
                Class::Select => {
                    let ty = at!(2);
                    require!(at!(1) == Ty::I32 && at!(3) == ty && ty.is_number());
                    top -= 2;
                    pos += 1;
                }
                Class::I64Const => {
                    let next = some!(skip_i64(bytes, pos + 1));
                    push!(Ty::I64);
                    pos = next;
                }
                Class::F32Const => {
                    require!(bytes.len() - pos > 4);
                    push!(Ty::F32);
                    pos += 5;
                }
                Class::F64Const => {
                    require!(bytes.len() - pos > 8);
                    push!(Ty::F64);
                    pos += 9;
                }
                // Operators without immediates, loads and stores.
                Class::Vector => {
                    require!(simd);
                    let (code, next) = some!(index(bytes, pos + 1));
                    if code <= 0x0b {
                        let align_log2 = VECTOR_ALIGN_LOG2[code as usize];
                        let next = some!(skip_mem_arg(bytes, next, align_log2));
                        if code == 0x0b {
                            require!(at!(1) == Ty::V128 && at!(2) == memory);
                            top -= 2;
                        } else {
                            require!(at!(1) == memory);
                            set!(1, Ty::V128);
                        }
                        pos = next;
                        continue;
                    }
                    require!(code < FIRST_RELAXED);
                    let signature = some!(VECTOR.get(code as usize));
                    let [first, second, _] = signature.params;
                    match signature.arity {
                        1 => {
                            require!(at!(1) == first);
                            set!(1, signature.result);
                        }
                        2 => {
                            require!(at!(1) == second && at!(2) == first);
                            set!(2, signature.result);
                            top -= 1;
                        }
                        _ => break,
                    }
                    pos = next;
                }
                Class::Rare => break,
            }
        }
        self.pos = pos;
        self.top = top;
    }
}

/// The natural alignments of the loads and the store that begin the table of vectors.
const VECTOR_ALIGN_LOG2: [u8; 12] = [4, 3, 3, 3, 3, 3, 3, 0, 1, 2, 3, 4];

/// An index and the place behind it.
#[inline(always)]
fn index(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let low = u32::from(*bytes.get(at)?);
    if low < 0x80 {
        return Some((low, at + 1));
    }
    let middle = u32::from(*bytes.get(at + 1)?);
    if middle < 0x80 {
        return Some((low & 0x7f | middle << 7, at + 2));
    }
    let high = u32::from(*bytes.get(at + 2)?);
    if high < 0x80 {
        return Some((low & 0x7f | (middle & 0x7f) << 7 | high << 14, at + 3));
    }
    let value = low & 0x7f | (middle & 0x7f) << 7 | (high & 0x7f) << 14;
    match *bytes.get(at + 3..at + 5)? {
        [fourth @ 0..0x80, _] => Some((value | u32::from(fourth) << 21, at + 4)),
        // As linkers leave them: five bytes, whatever the index.
        [fourth, fifth @ 0..0x10] => Some((value | u32::from(fourth & 0x7f) << 21 | u32::from(fifth) << 28, at + 5)),
        _ => None,
    }
}

/// The place behind an unsigned number of 32 bits.
#[inline(always)]
fn skip_u32(bytes: &[u8], at: usize) -> Option<usize> {
    skip_leb32(bytes, at, |last| last < 0x10)
}

/// The place behind a signed number of 32 bits.
#[inline(always)]
fn skip_i32(bytes: &[u8], at: usize) -> Option<usize> {
    // The last byte has four bits of the number; the others repeat the sign.
    skip_leb32(bytes, at, |last| last < 0x08 || (0x78..0x80).contains(&last))
}

#[inline(always)]
fn skip_leb32(bytes: &[u8], at: usize, is_last: impl FnOnce(u8) -> bool) -> Option<usize> {
    if *bytes.get(at)? < 0x80 {
        return Some(at + 1);
    }
    let rest = bytes.get(at..)?;
    let ends = !u32::from_le_bytes(*rest.first_chunk()?) & 0x8080_8080;
    if ends != 0 {
        return Some(at + ends.trailing_zeros() as usize / 8 + 1);
    }
    is_last(*rest.get(4)?).then_some(at + 5)
}

/// The place behind a signed number of 64 bits.
#[inline(always)]
fn skip_i64(bytes: &[u8], at: usize) -> Option<usize> {
    if *bytes.get(at)? < 0x80 {
        return Some(at + 1);
    }
    let rest = bytes.get(at..)?;
    let ends = !u64::from_le_bytes(*rest.first_chunk()?) & 0x8080_8080_8080_8080;
    if ends != 0 {
        return Some(at + ends.trailing_zeros() as usize / 8 + 1);
    }
    if *rest.get(8)? < 0x80 {
        return Some(at + 9);
    }
    // The last byte has one bit of the number; the others repeat it.
    matches!(*rest.get(9)?, 0x00 | 0x7f).then_some(at + 10)
}

/// The place behind the immediate of an access to the first memory.
#[inline(always)]
fn skip_mem_arg(bytes: &[u8], at: usize, align_log2: u8) -> Option<usize> {
    if *bytes.get(at)? > align_log2 {
        return None;
    }
    skip_u32(bytes, at + 1)
}
