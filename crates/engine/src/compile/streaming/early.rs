//! Compiling functions of a module that does not exist yet, and adding their code when it does.
//!
//! A `NativeModule` needs the sizes of all bodies (its profile is laid out by them) and the data segments, which come last.
//! So it is made when the last byte is there, and what was compiled until then waits beside it, as a compiler leaves it:
//! machine code that is bound to no address. Compilers need no more than the head of the module and the body, and so no
//! half-made module can be seen by anybody, or has to be taken back when the stream ends badly.
//! Rejected: to make the `NativeModule` when the code section begins, with bodies and segments that appear in it later: all
//! who read a module would have to be ready for one that is not complete. The price is that code is held twice for a moment,
//! and that a call of a body that is not there yet is counted in the profile as if the body were small.

use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Duration;

use abi::compiler::{FunctionBody, ModuleEnv, Request};
use abi::layout::InstanceLayout;
use abi::memory::MemoryStyle;
use code::native_module::{NativeModule, NewCode};
use wasm::decode::stream::Head;
use wasm::types::DefinedFuncIndex;

use crate::attachment;
use crate::compile::job::run_compiler;
use crate::config::{Config, Strategy};
use crate::events::{Cause, EventKind, ModuleNumber, Outcome, spans};
use crate::service::Service;
use crate::tuning;

/// What compiling needs to know of a module beside its head.
pub(super) struct EarlyCompiler {
    /// Weak, as a stream may outlive its engine.
    service: Weak<Service>,
    number: ModuleNumber,
    layout: InstanceLayout,
    memories: Box<[MemoryStyle]>,
}

impl EarlyCompiler {
    /// A compiler for the module of this head, if the configuration wants code before functions are called.
    pub(super) fn new(service: &Arc<Service>, number: ModuleNumber, head: &Head) -> Option<EarlyCompiler> {
        let Config { strategy, lazy_validation, max_code_bytes, memory, .. } = &service.config;
        // Under a ceiling, code is flushed as more is made: that needs the module. What is not valid must not be compiled.
        if *strategy == Strategy::Lazy || *lazy_validation || max_code_bytes.is_some() {
            return None;
        }
        Some(EarlyCompiler {
            service: Arc::downgrade(service),
            number,
            layout: InstanceLayout::new(&head.info),
            memories: head.info.memories.iter().map(|ty| memory.style(ty)).collect(),
        })
    }

    /// Compiles a function whose body, in `bytes`, is valid; nothing if it cannot be, or the engine is gone.
    pub(super) fn compile(
        &self,
        head: &Head,
        bytes: &[u8],
        function: DefinedFuncIndex,
        place: Range<usize>,
    ) -> Option<NewCode> {
        let service = &*self.service.upgrade()?;
        let env = ModuleEnv {
            info: &head.info,
            wire_bytes: bytes,
            layout: &self.layout,
            memories: &self.memories,
            settings: service.config.settings,
        };
        let body = FunctionBody { offset: place.start, bytes: bytes.get(place)? };
        let tier = service.compilers.first_tier();
        let index = head.info.func_index(function).0;
        let started = service.events.start(spans::compile(self.number, index, (tier, None), Cause::Request));
        let _entered = started.enter();
        let result = run_compiler(service.compilers.of(tier), &Request::of_body(&env, function, body));
        service.events.end(&started, Some(self.number), || EventKind::Compile {
            function: index,
            tier,
            osr: None,
            cause: Cause::Request,
            wasm_bytes: body.bytes.len(),
            cpu: result.as_ref().map_or(Duration::ZERO, |(_, time)| *time),
            outcome: match &result {
                Ok((compiled, _)) => Outcome::Done { code_bytes: compiled.bytes.len() },
                Err(_) => Outcome::Failed,
            },
        });
        let (compiled, compile_time) = result.ok()?;
        let (_, budget) = tuning::whole_budget(service.config.tiering_budget, body.bytes.len());
        Some(NewCode { function, tier, osr: None, compile_time, budget, compiled })
    }
}

/// Adds code to its module, and publishes it. What there is no room for stays without code.
pub(super) fn add(service: &Service, module: &NativeModule, codes: Vec<NewCode>) {
    let number = attachment::of(module).number;
    for code in codes {
        let function = module.info().func_index(code.function).0;
        let tier = code.tier;
        // Whoever needs the function's code makes it again, and makes room for it.
        let Ok(code) = module.add(code) else { return };
        module.publish(code);
        service.events.mark(Some(number), EventKind::Publish { function, tier, osr: None });
    }
}
