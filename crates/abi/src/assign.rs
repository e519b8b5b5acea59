//! The calling convention of all compiled code, as a pure function from a function type to locations.
//!
//! It is Cranelift's `tail` convention restricted to its plain parts (see `docs/architecture.md`):
//! - integer arguments (the callee's context first, then the result buffer if there is one, then the parameters) go to
//!   [`INT_PARAMS`], floats and vectors to `xmm0..xmm7`; what does not fit goes to the stack, left to right, in slots of
//!   8 bytes (16, and 16-aligned, for `v128`). The callee pops them; their total is a multiple of 16.
//! - results go to [`INT_RESULTS`] and `xmm0..xmm7`. If one of them does not fit, *all* results go to a buffer of
//!   16-byte slots whose address is an ordinary argument after the context.
//! - callee-saved are `rbx r12 r13 r14 r15 rbp`; no vector register is.

#[cfg(not(target_arch = "x86_64"))]
compile_error!("Upshift's calling convention is defined for x86-64 only");

use wasm::types::{FuncType, HeapType, RefType, ValType};

use crate::layout::VALUE_SLOT;

#[cfg(test)]
mod tests;

/// Hardware numbers of the integer argument registers: rdi rsi rdx rcx r8 r9.
pub const INT_PARAMS: [u8; 6] = [7, 6, 2, 1, 8, 9];

/// Hardware numbers of the integer result registers: rax rcx rdx rsi rdi r8 r9 r10.
pub const INT_RESULTS: [u8; 8] = [0, 1, 2, 6, 7, 8, 9, 10];

/// Number of vector registers used for arguments, and for results: xmm0 upwards.
pub const VECTOR_REGISTERS: u8 = 8;

/// The machine's view of a value type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MachineType {
    /// 32-bit integer; the upper half of its register is unspecified.
    I32,
    /// 64-bit integer or address.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector.
    V128,
}

impl MachineType {
    /// The machine type of a value type. References to functions are addresses, all others 32-bit offsets; a concrete
    /// type is a function type here (the only kind there is before GC).
    pub fn of(ty: ValType) -> MachineType {
        match ty {
            ValType::I32 => MachineType::I32,
            ValType::I64 => MachineType::I64,
            ValType::F32 => MachineType::F32,
            ValType::F64 => MachineType::F64,
            ValType::V128 => MachineType::V128,
            ValType::Ref(reference) => MachineType::of_reference(reference),
        }
    }

    fn of_reference(reference: RefType) -> MachineType {
        match reference.heap {
            HeapType::Func | HeapType::NoFunc | HeapType::Concrete(_) => MachineType::I64,
            _ => MachineType::I32,
        }
    }

    /// Is it passed in an integer register?
    pub fn is_int(self) -> bool {
        matches!(self, MachineType::I32 | MachineType::I64)
    }
}

/// Where one value is at a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Location {
    /// In the integer register with this hardware number.
    Int(u8),
    /// In the vector register with this number.
    Vector(u8),
    /// On the stack, this many bytes above the first stack argument: at callee entry the first stack argument is at
    /// `[rsp + 8]`.
    Stack(u32),
    /// In the result buffer, at this offset.
    Buffer(u32),
}

/// The locations of one signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Location of the callee's context.
    pub context: Location,
    /// Location of the result buffer's address, if results go there.
    pub result_buffer: Option<Location>,
    /// Type and location of each parameter.
    pub params: Vec<(MachineType, Location)>,
    /// Type and location of each result.
    pub results: Vec<(MachineType, Location)>,
    /// Bytes of stack arguments, a multiple of 16; the callee pops them.
    pub stack_bytes: u32,
}

/// Do these results go to a buffer?
pub fn results_need_buffer(results: &[ValType]) -> bool {
    let ints = results.iter().filter(|&&ty| MachineType::of(ty).is_int()).count();
    ints > INT_RESULTS.len() || results.len() - ints > usize::from(VECTOR_REGISTERS)
}

/// The locations of all values at a call of a function of type `ty`.
pub fn assign(ty: &FuncType) -> Signature {
    let mut start = Cursor::default();
    let context = start.place(MachineType::I64);
    let result_buffer = results_need_buffer(ty.results()).then(|| start.place(MachineType::I64));
    let (mut params, mut results) = (Params::of(ty), Results::of(ty.results()));
    let types = |types: &[ValType]| types.iter().map(|&ty| MachineType::of(ty)).collect::<Vec<_>>();
    Signature {
        context,
        result_buffer,
        params: types(ty.params()).into_iter().map(|ty| (ty, params.locate(ty))).collect(),
        results: types(ty.results()).into_iter().map(|ty| (ty, results.locate(ty))).collect(),
        stack_bytes: Params::stack_bytes(ty),
    }
}

/// The locations of a function's parameters, one after the other and without allocating: calls are frequent in code.
#[derive(Debug)]
pub struct Params(Cursor);

impl Params {
    /// The locations behind the context's, and behind the result buffer's if there is one.
    pub fn of(ty: &FuncType) -> Params {
        let ints = if results_need_buffer(ty.results()) { 2 } else { 1 };
        Params(Cursor { ints, ..Cursor::default() })
    }

    /// The location of the next parameter, which is of this type.
    pub fn locate(&mut self, ty: MachineType) -> Location {
        self.0.place(ty)
    }

    /// Bytes of stack arguments, a multiple of 16.
    pub fn stack_bytes(ty: &FuncType) -> u32 {
        let mut params = Params::of(ty);
        for &ty in ty.params() {
            params.locate(MachineType::of(ty));
        }
        params.0.stack.next_multiple_of(16)
    }
}

/// The locations of a function's results, one after the other and without allocating.
#[derive(Debug)]
pub struct Results {
    ints: usize,
    vectors: u8,
    /// The next slot of the buffer, if there is one.
    buffer: Option<u32>,
}

impl Results {
    /// The locations of results of these types.
    pub fn of(types: &[ValType]) -> Results {
        Results { ints: 0, vectors: 0, buffer: results_need_buffer(types).then_some(0) }
    }

    /// The location of the next result, which is of this type.
    pub fn locate(&mut self, ty: MachineType) -> Location {
        if let Some(offset) = &mut self.buffer {
            let at = *offset;
            *offset += VALUE_SLOT as u32;
            return Location::Buffer(at);
        }
        if ty.is_int() {
            // There are no more than registers, or they would be in the buffer.
            let register = INT_RESULTS[self.ints % INT_RESULTS.len()];
            self.ints += 1;
            Location::Int(register)
        } else {
            self.vectors += 1;
            Location::Vector(self.vectors - 1)
        }
    }
}

/// Walks the argument registers, then the stack.
#[derive(Default, Debug)]
struct Cursor {
    ints: usize,
    vectors: u8,
    stack: u32,
}

impl Cursor {
    fn place(&mut self, ty: MachineType) -> Location {
        if ty.is_int() {
            if let Some(&register) = INT_PARAMS.get(self.ints) {
                self.ints += 1;
                return Location::Int(register);
            }
        } else if self.vectors < VECTOR_REGISTERS {
            self.vectors += 1;
            return Location::Vector(self.vectors - 1);
        }
        let size = if ty == MachineType::V128 { 16 } else { 8 };
        let offset = self.stack.next_multiple_of(size);
        self.stack = offset + size;
        Location::Stack(offset)
    }
}
