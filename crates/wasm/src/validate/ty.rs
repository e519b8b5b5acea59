//! Types as numbers: what the operand stack of the validator holds, and when one type stands for another.

use crate::types::{HeapType, RefType, ValType};

/// The type of an operand in one number, so that equal types are equal numbers.
///
/// Small numbers are the types without structure. A reference has `REF`, maybe `NULLABLE`, and its heap type: `func`,
/// `extern`, or `CONCRETE` plus the canonical index of a function type. `MARK` is never on the operand stack: it makes a
/// local or global unequal to every operand, so that the fast way of an operator does not fit it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ty(u32);

const REF: u32 = 1 << 30;
const NULLABLE: u32 = 1 << 29;
const HEAP: u32 = NULLABLE - 1;
const MARK: u32 = 1 << 31;
const FUNC: u32 = 0;
const EXTERN: u32 = 1;
const UNKNOWN: u32 = 2;
const CONCRETE: u32 = 16;

impl Ty {
    /// What lies under the operands of a block. No operator asks for it, so that no operator takes it.
    pub(super) const BARRIER: Ty = Ty(0);
    pub(super) const I32: Ty = Ty(1);
    pub(super) const I64: Ty = Ty(2);
    pub(super) const F32: Ty = Ty(3);
    pub(super) const F64: Ty = Ty(4);
    pub(super) const V128: Ty = Ty(5);
    /// An operand of code that is never reached: whatever is asked for.
    pub(super) const BOTTOM: Ty = Ty(6);
    /// A type that nothing has: the index type of a memory that is not there.
    pub(super) const NOTHING: Ty = Ty(7);
    /// A reference of code that is never reached: whatever reference is asked for.
    pub(super) const UNKNOWN_REF: Ty = Ty(REF | UNKNOWN);
    /// `funcref`
    pub(super) const FUNCREF: Ty = Ty(REF | NULLABLE | FUNC);

    /// A type without structure; `NOTHING` for a reference.
    pub(super) const fn number(ty: ValType) -> Ty {
        match ty {
            ValType::I32 => Ty::I32,
            ValType::I64 => Ty::I64,
            ValType::F32 => Ty::F32,
            ValType::F64 => Ty::F64,
            ValType::V128 => Ty::V128,
            ValType::Ref(_) => Ty::NOTHING,
        }
    }

    /// A reference; `canonical` gives the canonical index of a type. `None` for heap types this validator has not.
    pub(super) fn reference(ty: RefType, canonical: impl FnOnce(usize) -> Option<u32>) -> Option<Ty> {
        let heap = match ty.heap {
            HeapType::Func => FUNC,
            HeapType::Extern => EXTERN,
            HeapType::Concrete(index) => {
                canonical(index.index())?.checked_add(CONCRETE).filter(|&heap| heap <= HEAP)?
            }
            HeapType::Any
            | HeapType::Eq
            | HeapType::I31
            | HeapType::Struct
            | HeapType::Array
            | HeapType::None
            | HeapType::NoFunc
            | HeapType::NoExtern
            | HeapType::Exn
            | HeapType::NoExn => return None,
        };
        Some(Ty(REF | if ty.nullable { NULLABLE } else { 0 } | heap))
    }

    /// The reference `self` after a test that it is not null.
    pub(super) fn non_null(self) -> Ty {
        Ty(self.0 & !NULLABLE)
    }

    /// The same reference, null included.
    pub(super) fn nullable(self) -> Ty {
        Ty(self.0 | NULLABLE)
    }

    pub(super) fn is_ref(self) -> bool {
        self.0 & REF != 0
    }

    /// Whether `select` takes it without a type.
    pub(super) const fn is_number(self) -> bool {
        self.0.wrapping_sub(Ty::I32.0) <= Ty::V128.0 - Ty::I32.0
    }

    /// Whether a local of this type has a value before it is set.
    pub(super) fn is_defaultable(self) -> bool {
        !self.is_ref() || self.0 & NULLABLE != 0
    }

    /// The same, unequal to every operand: a local without a value, a global that cannot be set.
    pub(super) fn marked(self) -> Ty {
        Ty(self.0 | MARK)
    }

    pub(super) fn unmarked(self) -> Ty {
        Ty(self.0 & !MARK)
    }

    #[inline]
    pub(super) fn is_marked(self) -> bool {
        self.0 & MARK != 0
    }

    /// Whether an operand of this type can be taken where `expected` is asked for: spec, "Type matching".
    pub(super) fn matches(self, expected: Ty) -> bool {
        if self == expected || self == Ty::BOTTOM {
            return true;
        }
        if !self.is_ref() || !expected.is_ref() {
            return false;
        }
        let (heap, expected_heap) = (self.0 & HEAP, expected.0 & HEAP);
        if heap == UNKNOWN {
            return true;
        }
        // Every concrete type is a function type, and none has a declared supertype.
        (expected.0 & NULLABLE != 0 || self.0 & NULLABLE == 0)
            && (heap == expected_heap || heap >= CONCRETE && expected_heap == FUNC)
    }
}

/// A list of types: its place in the pool of the module, or the type itself when it is the only one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Types {
    at: Ty,
    pub(super) len: u32,
}

impl Types {
    pub(super) const EMPTY: Types = Types { at: Ty::BARRIER, len: 0 };

    pub(super) fn one(ty: Ty) -> Types {
        Types { at: ty, len: 1 }
    }

    /// Puts a list into the pool.
    pub(super) fn add(pool: &mut Vec<Ty>, types: impl ExactSizeIterator<Item = Ty>) -> Types {
        let len = types.len() as u32;
        if len == 1 {
            return types.last().map_or(Types::EMPTY, Types::one);
        }
        let at = Ty(pool.len() as u32);
        pool.extend(types);
        Types { at, len }
    }

    /// The types. `pool` must be the one they were added to.
    #[inline]
    pub(super) fn of<'t>(&'t self, pool: &'t [Ty]) -> &'t [Ty] {
        if self.len == 1 {
            return std::slice::from_ref(&self.at);
        }
        let start = self.at.0 as usize;
        pool.get(start..start + self.len as usize).unwrap_or_default()
    }

    /// The only type, when there is one.
    #[inline]
    pub(super) fn only(&self) -> Option<Ty> {
        (self.len == 1).then_some(self.at)
    }
}
