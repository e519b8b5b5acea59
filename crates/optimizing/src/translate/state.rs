//! The state of one translation: operand stack, locals, open blocks, and what is known of the instance context.
//!
//! Operands are intermediate-code values: `i32 i64 f32 f64` as themselves, references as `i64` (functions) or `i32`
//! (all others), `v128` as `i8x16` whatever its last use was; [`Translator::pop_vector`] and
//! [`Translator::push_vector`] convert at the edges. Locals are frontend variables.
//!
//! Fields of the instance context that never change are loaded in the entry block, which holds nothing else, and are
//! remembered per function: such loads are pure, so the optimizer moves each to where it is needed or drops it.

use abi::assign::MachineType;
use abi::compiler::ModuleEnv;
use abi::trap::TrapReason;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F64, I8X16, I32, I64};
use cranelift_codegen::ir::{
    Block, BlockArg, Endianness, FuncRef, InstBuilder, MemFlagsData, SigRef, SourceLoc, StackSlot, TrapCode, Type,
    Value,
};
use cranelift_frontend::{FunctionBuilder, Variable};
use wasm::types::{DefinedFuncIndex, FuncType, LocalIndex, TypeIndex, ValType};

use super::Translated;
use super::control::Frame;
use super::fuel::Fuel;
use super::osr::Resumption;
use super::region::Regions;
use crate::budget::Meter;
use crate::inline::Plan;
use crate::isa::Machine;
use crate::traps::trap_code;

/// What a translation allocates and the next one on this thread uses again.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) stack: Vec<Value>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) locals: Vec<Variable>,
    pub(crate) args: Vec<BlockArg>,
    pub(crate) values: Vec<Value>,
    pub(crate) fields: Vec<(u64, Value)>,
    pub(crate) signatures: Vec<(TypeIndex, SigRef)>,
    pub(crate) builtins: Vec<Option<SigRef>>,
    pub(crate) on_interrupt: Option<SigRef>,
}

impl Scratch {
    /// Forgets what the last function left, and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.stack.clear();
        self.frames.clear();
        self.locals.clear();
        self.args.clear();
        self.values.clear();
        self.fields.clear();
        self.signatures.clear();
        self.builtins.clear();
        self.on_interrupt = None;
    }
}

/// One body under translation.
#[derive(Clone, Copy)]
pub(crate) struct Body<'a> {
    /// Its number in the plan; 0 is the function's own.
    pub(crate) node: usize,
    /// The type of its function.
    pub(crate) ty: &'a FuncType,
    /// The first of its locals in the list of all.
    pub(crate) locals: usize,
    /// The first of its blocks in the list of all.
    pub(crate) frames: usize,
    /// What to add, wrapping, to offsets to get locations.
    pub(crate) shift: u32,
}

/// Translates one function.
pub(crate) struct Translator<'a> {
    /// Builds the intermediate code.
    pub(crate) builder: FunctionBuilder<'a>,
    /// The module the function is part of.
    pub(crate) module: &'a ModuleEnv<'a>,
    /// What the machine can do.
    pub(crate) target: Machine<'a>,
    /// The function.
    pub(crate) function: DefinedFuncIndex,
    /// Can a call of the function go straight to the code under compilation? Not if that starts in a loop.
    pub(crate) calls_itself: bool,
    /// The function as a callee, once it has called itself.
    pub(crate) own: Option<FuncRef>,
    /// What to inline into it.
    pub(crate) plan: Option<&'a Plan<'a>>,
    /// The body under translation: the function's, or that of an inlined call.
    pub(crate) body: Body<'a>,
    /// Can the next operator be reached? If not, only block structure is tracked.
    pub(crate) reachable: bool,
    /// Blocks opened since the code became unreachable.
    pub(crate) skipped: u32,
    /// Stacks and lists whose room is reused.
    pub(crate) scratch: &'a mut Scratch,
    /// Block that holds the parameters and the loads of constant fields.
    pub(crate) entry: Block,
    /// The instance context.
    pub(crate) vmctx: Value,
    /// Where the results go, if they do not fit registers.
    pub(crate) result_buffer: Option<Value>,
    /// Frame slot for the results of calls that need a buffer; as large as the largest so far.
    pub(crate) call_results: Option<StackSlot>,
    /// Regions used so far.
    pub(crate) regions: Regions,
    /// Fuel accounting, when it is on.
    pub(crate) fuel: Option<Fuel>,
    /// Offset in the module of the current operator.
    pub(crate) at: usize,
    /// The loop that an OSR entry starts in.
    pub(crate) resumption: Option<Resumption>,
    /// What the job may still take.
    pub(crate) meter: Meter,
}

impl<'a> Translator<'a> {
    /// Is the code under translation the function's own, not that of an inlined call?
    pub(crate) fn is_outermost(&self) -> bool {
        self.body.node == 0
    }

    /// A local of the body under translation.
    #[inline]
    pub(crate) fn local(&self, local: LocalIndex) -> Variable {
        self.scratch.locals[self.body.locals + local.index()]
    }

    /// Starts an operator at this offset in the module.
    #[inline]
    pub(crate) fn begin(&mut self, at: usize) -> Translated {
        self.locate(at);
        if let Some(fuel) = &mut self.fuel {
            fuel.pending += 1;
        }
        self.meter.tick(self.builder.func)
    }

    /// Makes what follows belong to the operator at this offset.
    #[inline]
    pub(crate) fn locate(&mut self, at: usize) {
        self.at = at;
        // Offsets fit: module sizes are limited to far less than 4 GiB.
        self.builder.set_srcloc(SourceLoc::new((at as u32).wrapping_add(self.body.shift)));
    }

    /// Pushes an operand.
    #[inline]
    pub(crate) fn push(&mut self, value: Value) {
        self.scratch.stack.push(value);
    }

    /// Pops the topmost operand.
    #[inline]
    pub(crate) fn pop(&mut self) -> Value {
        self.scratch.stack.pop().expect("validation counted the operands")
    }

    /// Pops two operands; the topmost is the last.
    #[inline]
    pub(crate) fn pop2(&mut self) -> (Value, Value) {
        let second = self.pop();
        (self.pop(), second)
    }

    /// Pops three operands; the topmost is the last.
    #[inline]
    pub(crate) fn pop3(&mut self) -> (Value, Value, Value) {
        let third = self.pop();
        let (first, second) = self.pop2();
        (first, second, third)
    }

    /// Pops a vector as lanes of this type.
    pub(crate) fn pop_vector(&mut self, ty: Type) -> Value {
        let value = self.pop();
        self.as_vector(value, ty)
    }

    /// Pops two vectors as lanes of this type; the topmost is the last.
    pub(crate) fn pop_vectors(&mut self, ty: Type) -> (Value, Value) {
        let (first, second) = self.pop2();
        (self.as_vector(first, ty), self.as_vector(second, ty))
    }

    /// Pushes a vector of any lane type.
    pub(crate) fn push_vector(&mut self, value: Value) {
        let value = self.as_vector(value, I8X16);
        self.push(value);
    }

    /// The same 128 bits as lanes of this type, lane 0 lowest.
    pub(crate) fn as_vector(&mut self, value: Value, ty: Type) -> Value {
        if self.builder.func.dfg.value_type(value) == ty {
            return value;
        }
        if let Some(source) = self.bitcast_source(value)
            && self.builder.func.dfg.value_type(source) == ty
        {
            return source;
        }
        self.builder.ins().bitcast(ty, MemFlagsData::new().with_endianness(Endianness::Little), value)
    }

    /// The number of operands on the stack.
    pub(crate) fn height(&self) -> usize {
        self.scratch.stack.len()
    }

    /// A 32-bit constant.
    pub(crate) fn i32(&mut self, value: i32) -> Value {
        self.builder.ins().iconst(I32, i64::from(value))
    }

    /// A 64-bit constant.
    pub(crate) fn i64(&mut self, value: i64) -> Value {
        self.builder.ins().iconst(I64, value)
    }

    /// An index operand as an unsigned 64-bit number.
    ///
    /// The extension is always explicit: the upper half of a register that holds an `i32` is unspecified.
    pub(crate) fn index(&mut self, index: Value) -> Value {
        if self.builder.func.dfg.value_type(index) == I64 {
            return index;
        }
        self.builder.ins().uextend(I64, index)
    }

    /// Traps if `condition` is not zero.
    pub(crate) fn trap_if(&mut self, condition: Value, reason: TrapReason) {
        self.builder.ins().trapnz(condition, trap_code(reason));
    }

    /// Traps, and marks what follows as unreachable.
    pub(crate) fn trap(&mut self, reason: TrapReason) {
        self.store_fuel();
        // Without it, Cranelift turns a branch to a block that only traps into a trap with the branch's position.
        self.builder.ins().sequence_point();
        self.builder.ins().trap(trap_code(reason));
        let block = self.builder.current_block();
        if let Some(block) = block.filter(|&block| self.builder.func.layout.entry_block() != Some(block)) {
            self.builder.set_cold_block(block);
        }
        self.reachable = false;
    }

    /// Traps if this reference, or address, is null.
    pub(crate) fn trap_if_null(&mut self, reference: Value, reason: TrapReason) {
        self.builder.ins().trapz(reference, trap_code(reason));
    }

    /// Is this reference null? As an 8-bit boolean.
    pub(crate) fn is_null(&mut self, reference: Value) -> Value {
        self.builder.ins().icmp_imm_u(IntCC::Equal, reference, 0)
    }

    /// A field that never changes while the function runs, `offset` bytes into what `base` points to.
    pub(crate) fn constant_field(&mut self, ty: Type, base: Value, offset: u32) -> Value {
        let key = (u64::from(base.as_u32()) << 32) | u64::from(offset);
        match self.scratch.fields.binary_search_by_key(&key, |&(key, _)| key) {
            Ok(at) => self.scratch.fields[at].1,
            Err(at) => {
                let flags = MemFlagsData::trusted().with_readonly().with_can_move();
                let mut cursor = FuncCursor::new(self.builder.func);
                cursor = cursor.at_last_inst(self.entry);
                let value = cursor.ins().load(ty, flags, base, offset as i32);
                self.scratch.fields.insert(at, (key, value));
                value
            }
        }
    }

    /// A pointer in the instance context that never changes, by its offset.
    pub(crate) fn context_pointer(&mut self, offset: usize) -> Value {
        self.constant_field(I64, self.vmctx, offset as u32)
    }
}

/// The type of the intermediate code for values of a Wasm type.
pub(crate) fn value_type(ty: ValType) -> Type {
    match MachineType::of(ty) {
        MachineType::I32 => I32,
        MachineType::I64 => I64,
        MachineType::F32 => F32,
        MachineType::F64 => F64,
        MachineType::V128 => I8X16,
    }
}

/// Flags of an access to linear memory, but for the region.
pub(crate) fn memory_flags(code: TrapCode) -> MemFlagsData {
    MemFlagsData::new().with_endianness(Endianness::Little).with_trap_code(Some(code))
}
