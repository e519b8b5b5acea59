//! What the operators without type immediates take and give, as tables over their opcodes.

use super::ty::Ty;
use crate::ops::{LoadKind, Numeric, SimdPlain, StoreKind};
use crate::types::ValType;

/// An operator that takes up to three operands and gives one, or a load or store.
#[derive(Clone, Copy)]
pub(super) struct Signature {
    /// What is taken, deepest first.
    pub(super) params: [Ty; 3],
    /// How many of them there are; 0 where the table has no operator.
    pub(super) arity: u8,
    /// The natural alignment of an access, as a power of two.
    pub(super) align_log2: u8,
    /// What is given. Of a store: what is stored.
    pub(super) result: Ty,
}

impl Signature {
    const NONE: Signature = Signature { params: [Ty::NOTHING; 3], arity: 0, align_log2: 0, result: Ty::NOTHING };

    const fn plain(params: &[ValType], results: &[ValType]) -> Signature {
        let mut signature = Signature::NONE;
        if results.len() != 1 || params.len() > 3 {
            return signature;
        }
        signature.result = Ty::number(results[0]);
        signature.arity = params.len() as u8;
        let mut at = 0;
        while at < params.len() {
            signature.params[at] = Ty::number(params[at]);
            at += 1;
        }
        signature
    }

    const fn access(ty: ValType, align_log2: u8) -> Signature {
        Signature { result: Ty::number(ty), align_log2, ..Signature::NONE }
    }
}

/// The arm of the fast loop for a first byte: one look-up and one jump an operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Class {
    /// None: the whole rules take it.
    Rare,
    /// Scalar arithmetic of one operand.
    Unary,
    /// Scalar arithmetic of two operands of one type.
    Binary,
    /// A scalar load.
    Load,
    /// A scalar store.
    Store,
    /// `block`, `loop` and `if`
    Block,
    /// What begins with the prefix of vectors.
    Vector,
    Unreachable,
    Nop,
    Else,
    End,
    Br,
    BrIf,
    Return,
    Call,
    CallIndirect,
    Drop,
    Select,
    LocalGet,
    LocalSet,
    LocalTee,
    GlobalGet,
    GlobalSet,
    I32Const,
    I64Const,
    F32Const,
    F64Const,
}

/// The class of every first byte.
pub(super) static CLASSES: [Class; 256] = {
    let mut table = [Class::Rare; 256];
    let mut code = 0;
    while code < table.len() {
        table[code] = match code {
            0x00 => Class::Unreachable,
            0x01 => Class::Nop,
            0x02..=0x04 => Class::Block,
            0x05 => Class::Else,
            0x0b => Class::End,
            0x0c => Class::Br,
            0x0d => Class::BrIf,
            0x0f => Class::Return,
            0x10 => Class::Call,
            0x11 => Class::CallIndirect,
            0x1a => Class::Drop,
            0x1b => Class::Select,
            0x20 => Class::LocalGet,
            0x21 => Class::LocalSet,
            0x22 => Class::LocalTee,
            0x23 => Class::GlobalGet,
            0x24 => Class::GlobalSet,
            0x28..=0x35 => Class::Load,
            0x36..=0x3e => Class::Store,
            0x41 => Class::I32Const,
            0x42 => Class::I64Const,
            0x43 => Class::F32Const,
            0x44 => Class::F64Const,
            0xfd => Class::Vector,
            _ => match SCALAR[code].arity {
                1 => Class::Unary,
                2 => Class::Binary,
                _ => Class::Rare,
            },
        };
        code += 1;
    }
    table
};

/// Of every one-byte opcode that is scalar arithmetic, a load or a store.
pub(super) static SCALAR: [Signature; 256] = {
    let mut table = [Signature::NONE; 256];
    let mut code = 0;
    while code < table.len() {
        if let Some(op) = Numeric::from_opcode(code as u32) {
            table[code] = Signature::plain(op.params(), op.results());
        } else if let Some(kind) = LoadKind::from_opcode(code as u8) {
            table[code] = Signature::access(kind.value_type(), kind.bytes_log2());
        } else if let Some(kind) = StoreKind::from_opcode(code as u8) {
            table[code] = Signature::access(kind.value_type(), kind.bytes_log2());
        }
        code += 1;
    }
    table
};

/// How many codes there are behind the prefix of vectors.
const VECTOR_CODES: usize = 0x114;

/// The first code of relaxed vectors.
pub(super) const FIRST_RELAXED: u32 = 0x100;

/// Of every operator on vectors without immediates, by its code behind the prefix 0xfd.
pub(super) static VECTOR: [Signature; VECTOR_CODES] = {
    let mut table = [Signature::NONE; VECTOR_CODES];
    let mut code = 0;
    while code < table.len() {
        if let Some(op) = SimdPlain::from_fd_opcode(code as u32) {
            table[code] = Signature::plain(op.params(), op.results());
        }
        code += 1;
    }
    table
};
