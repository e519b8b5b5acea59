//! The driver: compiles one function, with contexts that each thread keeps.

use std::cell::Cell;
use std::mem::offset_of;

use abi::assign::results_need_buffer;
use abi::compiled::CompiledCode;
use abi::compiler::Request;
use abi::layout::{InstanceHeader, StoreContext};
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Function, GlobalValueData, InstBuilder, MemFlagsData, Signature};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use wasm::decode::code::BodyReader;
use wasm::types::ValType;

use crate::budget::Meter;
use crate::finish::finish;
use crate::inline::Plan;
use crate::isa::{Machine, Target};
use crate::latch;
use crate::signature;
use crate::translate::osr::{self, Resumption};
use crate::translate::state::{Body, Scratch, Translator, value_type};
use crate::translate::{TranslateError, Translated};

/// Bodies of more bytes than this give their thread's contexts back to the allocator, so that one giant does not stay
/// in memory for good.
const KEEP_LIMIT: usize = 128 << 10;

/// What compiling allocates, reused from function to function.
pub(crate) struct Worker {
    context: Context,
    builder: FunctionBuilderContext,
    scratch: Scratch,
    control: ControlPlane,
}

thread_local! {
    /// This thread's worker, when it is not at work.
    static WORKER: Cell<Option<Box<Worker>>> = const { Cell::new(None) };
}

impl Worker {
    /// Runs `work` with this thread's worker, and keeps it for the next one if `keep`.
    pub(crate) fn with<T>(keep: bool, work: impl FnOnce(&mut Worker) -> T) -> T {
        let mut worker = WORKER.take().unwrap_or_else(|| Box::new(Worker::new()));
        let result = work(&mut worker);
        if keep {
            WORKER.set(Some(worker));
        }
        result
    }

    fn new() -> Worker {
        Worker {
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
            scratch: Scratch::default(),
            control: ControlPlane::default(),
        }
    }

    /// Builds a function with `build` and compiles it.
    pub(crate) fn compile(
        &mut self,
        machine: Machine<'_>,
        signature: Signature,
        plan: Option<&Plan<'_>>,
        build: impl FnOnce(FunctionBuilder<'_>, &mut Scratch) -> Translated,
    ) -> Result<CompiledCode, TranslateError> {
        self.context.clear();
        self.scratch.clear();
        self.context.func.signature = signature;
        let builder = FunctionBuilder::new(&mut self.context.func, &mut self.builder);
        if let Err(error) = build(builder, &mut self.scratch) {
            // The builder was left halfway, and its context with it.
            self.builder = FunctionBuilderContext::new();
            return Err(error);
        }
        let describe =
            |func: &Function, error| TranslateError::limit(cranelift_codegen::print_errors::pretty_error(func, error));
        if let Err(error) = self.context.optimize(machine.isa, &mut self.control) {
            return Err(describe(&self.context.func, error));
        }
        latch::compare_increments(&mut self.context.func);
        match self.context.compile(machine.back_end, &mut self.control) {
            Ok(emitted) => finish(emitted, plan).map_err(TranslateError::limit),
            Err(error) => Err(describe(error.func, error.inner)),
        }
    }
}

/// Compiles one function of a module.
pub(crate) fn compile(target: &Target, request: &Request<'_>) -> Result<CompiledCode, TranslateError> {
    let module = request.module;
    let body = request.body;
    let ty = module.info.func_type(module.info.func_index(request.function));
    let machine = target.machine(module.settings);
    let around = request.osr.map(|target| osr::find(body, target)).transpose()?;
    let plan = Plan::make(request)?;
    Worker::with(body.bytes.len() <= KEEP_LIMIT, |worker| {
        worker.compile(machine, signature::function(ty), plan.as_ref(), |builder, scratch| {
            let mut translator = enter(machine, request, plan.as_ref(), builder, scratch);
            let mut reader = BodyReader::new(body.bytes, body.offset);
            let locals = reader.locals()?;
            match around {
                None => start_body(&mut translator, &locals),
                Some(around) => start_in_loop(&mut translator, &locals, around),
            }
            reader.visit_all(&mut translator)?;
            translator.close_resumption()?;
            translator.meter.check_estimate(translator.builder.func)?;
            translator.builder.finalize(machine.isa.frontend_config());
            Ok(())
        })
    })
}

/// Sets a translation up: entry block, context, result buffer, stack limit.
fn enter<'a>(
    target: Machine<'a>,
    request: &Request<'a>,
    plan: Option<&'a Plan<'a>>,
    mut builder: FunctionBuilder<'a>,
    scratch: &'a mut Scratch,
) -> Translator<'a> {
    let meter = Meter::new(request.budget);
    let module = request.module;
    let ty = module.info.func_type(module.info.func_index(request.function));
    check_stack_limit(builder.func);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    let params = builder.block_params(entry);
    let vmctx = params[0];
    let result_buffer = results_need_buffer(ty.results()).then(|| params[1]);
    Translator {
        builder,
        module,
        target,
        function: request.function,
        calls_itself: request.osr.is_none(),
        own: None,
        plan,
        body: Body { node: 0, ty, locals: 0, frames: 0, shift: 0 },
        reachable: true,
        skipped: 0,
        scratch,
        entry,
        vmctx,
        result_buffer,
        call_results: None,
        regions: [None; _],
        fuel: None,
        at: 0,
        resumption: None,
        meter,
    }
}

/// Gives the function's prologue the limit to compare with: `vmctx.store.stack_limit`. A host context has its store in
/// the same place.
pub(crate) fn check_stack_limit(function: &mut Function) {
    let flags = function.dfg.mem_flags.insert_unchecked(MemFlagsData::trusted().with_readonly());
    let context = function.create_global_value(GlobalValueData::VMContext);
    let mut load = |base, offset: usize| {
        let offset = (offset as i32).into();
        function.create_global_value(GlobalValueData::Load { base, offset, global_type: I64, flags })
    };
    let store = load(context, offset_of!(InstanceHeader, store));
    let limit = load(store, offset_of!(StoreContext, stack_limit));
    function.stack_limit = Some(limit);
}

/// Defines the locals, leaves the entry block, and does what stands before the first operator.
fn start_body(translator: &mut Translator<'_>, locals: &[(u32, ValType)]) {
    let builder = &mut translator.builder;
    let first = 1 + usize::from(translator.result_buffer.is_some());
    for (index, &ty) in translator.body.ty.params().iter().enumerate() {
        let local = builder.declare_var(value_type(ty));
        let value = builder.block_params(translator.entry)[first + index];
        builder.def_var(local, value);
        translator.scratch.locals.push(local);
    }
    translator.declare_locals(locals);
    let body = translator.builder.create_block();
    translator.builder.ins().jump(body, &[]);
    translator.builder.seal_block(body);
    translator.builder.switch_to_block(body);
    translator.enter_function();
    translator.open_function();
}

/// Leads the entry block to the loop, and begins with the function's start, which nothing leads to.
fn start_in_loop(translator: &mut Translator<'_>, locals: &[(u32, ValType)], around: Vec<usize>) {
    let builder = &mut translator.builder;
    let resumed = builder.create_block();
    builder.ins().jump(resumed, &[]);
    builder.seal_block(resumed);
    let start = builder.create_block();
    builder.seal_block(start);
    builder.switch_to_block(start);
    let mut resumption = Resumption::new(around, resumed);
    let params: Vec<(u32, ValType)> = translator.body.ty.params().iter().map(|&ty| (1, ty)).collect();
    for &(count, ty) in params.iter().chain(locals) {
        for _ in 0..count {
            resumption.push_local(ty);
        }
    }
    translator.resumption = Some(resumption);
    translator.declare_locals(&params);
    translator.declare_locals(locals);
    translator.enter_function();
    translator.open_function();
}

impl Translator<'_> {
    /// Declares locals that start with zero.
    pub(crate) fn declare_locals(&mut self, locals: &[(u32, ValType)]) {
        let builder = &mut self.builder;
        for &(count, ty) in locals {
            if count == 0 {
                continue;
            }
            let zero = zero(builder, ty);
            for _ in 0..count {
                let local = builder.declare_var(value_type(ty));
                builder.def_var(local, zero);
                self.scratch.locals.push(local);
            }
        }
    }
}

/// The value that locals of a type start with. One without a default is written before it is read.
fn zero(builder: &mut FunctionBuilder<'_>, ty: ValType) -> cranelift_codegen::ir::Value {
    use cranelift_codegen::ir::types::{F32, F64, I8X16};
    match value_type(ty) {
        F32 => builder.ins().f32const(0.0),
        F64 => builder.ins().f64const(0.0),
        I8X16 => {
            let zero = builder.func.dfg.constants.insert([0; 16].as_slice().into());
            builder.ins().vconst(I8X16, zero)
        }
        int => builder.ins().iconst(int, 0),
    }
}

#[cfg(test)]
mod tests;
