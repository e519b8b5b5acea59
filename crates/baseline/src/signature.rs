//! The calling convention of [`abi::assign`], one value at a time and without allocating: calls are frequent.

use abi::assign::{INT_PARAMS, INT_RESULTS, Location, MachineType, VECTOR_REGISTERS, results_need_buffer};
use abi::layout::VALUE_SLOT;
use wasm::types::{FuncType, ValType};

#[cfg(test)]
mod tests;

/// Gives parameters their places, in order.
pub(crate) struct Params {
    ints: usize,
    vectors: u8,
    stack: u32,
}

impl Params {
    /// The places behind the context's, and behind the result buffer's if there is one.
    pub(crate) fn of(ty: &FuncType) -> Params {
        Params { ints: if results_need_buffer(ty.results()) { 2 } else { 1 }, vectors: 0, stack: 0 }
    }

    pub(crate) fn next(&mut self, ty: MachineType) -> Location {
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

    /// Bytes of stack arguments.
    pub(crate) fn stack_bytes(types: &FuncType) -> u32 {
        let mut params = Params::of(types);
        for &ty in types.params() {
            params.next(MachineType::of(ty));
        }
        params.stack.next_multiple_of(16)
    }
}

/// Gives results their places, in order.
pub(crate) struct Results {
    ints: usize,
    vectors: u8,
    /// The next slot of the buffer, if there is one.
    buffer: Option<u32>,
}

impl Results {
    pub(crate) fn of(types: &[ValType]) -> Results {
        Results { ints: 0, vectors: 0, buffer: results_need_buffer(types).then_some(0) }
    }

    pub(crate) fn next(&mut self, ty: MachineType) -> Location {
        if let Some(offset) = &mut self.buffer {
            let at = *offset;
            *offset += VALUE_SLOT as u32;
            return Location::Buffer(at);
        }
        if ty.is_int() {
            let register = INT_RESULTS[self.ints % INT_RESULTS.len()];
            self.ints += 1;
            Location::Int(register)
        } else {
            self.vectors += 1;
            Location::Vector(self.vectors - 1)
        }
    }
}
