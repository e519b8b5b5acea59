//! Streaming compilation: a module is decoded, validated and, if it is to be compiled at once, compiled while its bytes
//! arrive.
//!
//! 1. The bytes go to an append-only buffer, which becomes the module's wire bytes ([`StreamingJob::push`], or
//!    [`StreamingJob::room`] and [`StreamingJob::filled`] for a read straight into it). The pushing thread decodes what is
//!    complete.
//! 2. When the code section begins, the stream's prefix is known, and the module cache is asked for it. If there is a module
//!    with that prefix, or one is under way, it is probably the same: from then on bytes are only collected, and looked up
//!    when all are there. (If it was another, the module is made from all its bytes.) They are decoded all the same, so that
//!    a fault of the structure ends the stream at the same byte. Else the stream owns the prefix:
//! 3. Bodies that are complete are validated, and under the eager and the hybrid strategy compiled (`early`), by tasks of
//!    the pool (`bodies`). If there is no thread to do it, or little code, the pushing thread does.
//! 4. A fault is latched: later bytes are dropped, and nothing is said before the end.
//! 5. [`StreamingJob::finish`] helps with what is left, takes the fault with the earliest offset, if there is one, or makes
//!    the module, adds the code that is ready, and publishes it, unless somebody who made the same was faster. It never
//!    waits for a task that has not begun.
//! 6. [`StreamingJob::abort`], or dropping the job, ends all work and gives back memory and prefix.
//!
//! The job does not keep its engine: when that goes, the work on the bodies is cancelled, and the job fails.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use abi::compiler::CompileError;
use code::native_module::NativeModule;
use code::wire_bytes::WireBytes;
use sys::append::AppendBuffer;
use tracing::Span;
use wasm::compile_imports::CompileTimeImports;
use wasm::decode::prefix_hash::PrefixHasher;
use wasm::decode::stream::StreamDecoder;
use wasm::limits::Limits;

use crate::cache::StreamClaim;
use crate::compile::phases::{Cancel, Compilation, code_bytes};
use crate::config::Strategy;
use crate::engine::{Engine, WeakEngine};
use crate::error::ModuleError;
use crate::events::{CacheOutcome, CompileMethod, EventKind, ModuleNumber, Started, StreamStep, quietly, spans};
use crate::module::{self, Asked};
use crate::pool::{Label, Urgency};
use crate::service::Service;
use crate::tuning;

mod bodies;
mod early;
mod finishing;
#[cfg(test)]
mod tests;

use bodies::{Bodies, Joined, Source};
use early::EarlyCompiler;
pub use finishing::Finishing;

/// The least address space that a stream makes do with, in bytes, where the system refuses enough for the largest module.
const LEAST_RESERVED: usize = 16 << 20;

/// A module that is arriving.
#[derive(Debug)]
pub struct StreamingJob {
    engine: WeakEngine,
    imports: CompileTimeImports,
    number: ModuleNumber,
    /// The making of the module, from the job's start.
    started: Started,
    /// The decoding of its sections, as long.
    decoding: Started,
    /// When the last byte had come.
    last_byte: Option<Instant>,
    /// Set by who finishes the job without waiting for it, and then does not want it; and by the engine that goes.
    cancel: Cancel,
    input: Result<Input, ModuleError>,
}

/// What has arrived, and what was made of it.
#[derive(Debug)]
struct Input {
    buffer: AppendBuffer,
    decoder: StreamDecoder,
    role: Role,
    /// Processor time of decoding, if somebody wants to know.
    cpu: Duration,
}

/// All that has come.
struct Arrived {
    bytes: WireBytes,
    decoder: StreamDecoder,
    /// Processor time of decoding so far.
    cpu: Duration,
}

/// What is done about the bodies.
#[derive(Debug)]
enum Role {
    /// There is none yet.
    Undecided,
    /// They are collected only: nobody looks into them.
    Collector,
    /// They are worked on.
    Maker(Maker),
}

/// The work on bodies.
#[derive(Debug)]
struct Maker {
    /// The right to give the cache the module; none if there is no cache.
    claim: Option<StreamClaim>,
    /// None if bodies are validated when they are called.
    bodies: Option<Arc<Bodies>>,
    /// When the first could be validated.
    started: Started,
    /// How many bodies have been handed over.
    handed: usize,
    /// The pushing thread does the work, as nobody else would.
    alone: bool,
}

impl StreamingJob {
    /// A job that has no byte yet, for a module with these compile-time imports.
    pub fn new(engine: &Engine, imports: CompileTimeImports) -> StreamingJob {
        let config = engine.config();
        let input = reserve(&config.limits).map(|buffer| {
            let decoder = StreamDecoder::new(&config.features, &config.limits);
            Input { buffer, decoder, role: Role::Undecided, cpu: Duration::ZERO }
        });
        let (events, number, method) = (&engine.service().events, ModuleNumber::next(), CompileMethod::Streaming);
        let started = events.start(spans::module(method, Some(number)));
        let decoding = started.span().in_scope(|| events.start(spans::decode(method, number)));
        let cancel = Cancel::default();
        engine.service().jobs.add(cancel.job());
        StreamingJob {
            engine: engine.downgrade(),
            imports,
            number,
            started,
            decoding,
            last_byte: None,
            cancel,
            input: input.map_err(|error| no_memory(&error)),
        }
    }

    /// Takes the next bytes. What is wrong with the module is said by [`StreamingJob::finish`].
    ///
    /// # Errors
    /// When there is no memory for them, or the engine is gone; so will all later calls.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ModuleError> {
        let mut rest = bytes;
        while !rest.is_empty() && !self.has_failed() {
            let room = self.room(rest.len())?;
            let len = rest.len().min(room.len());
            room[..len].copy_from_slice(&rest[..len]);
            self.filled(len)?;
            rest = &rest[len..];
        }
        self.check()
    }

    /// Room for the next bytes: for `len` of them, or as many as a module may have, and for one at least.
    ///
    /// # Errors
    /// As for [`StreamingJob::push`].
    ///
    /// # Panics
    /// When the module [has failed](StreamingJob::has_failed): there is no room for bytes that do not matter.
    pub fn room(&mut self, len: usize) -> Result<&mut [u8], ModuleError> {
        self.check()?;
        assert!(!self.has_failed(), "no room in a stream that has failed");
        if let Ok(input) = &mut self.input
            && let Err(error) = input.buffer.spare(input.wanted(len))
        {
            self.give_up(no_memory(&error));
        }
        // Once more, as the borrow of the first would have to outlive an error that is latched.
        let input = self.input.as_mut().map_err(|error| error.clone())?;
        input.buffer.spare(input.wanted(len)).map_err(|error| no_memory(&error))
    }

    /// The next `len` bytes are in the [room](StreamingJob::room).
    ///
    /// # Errors
    /// When the engine is gone.
    ///
    /// # Panics
    /// When there was not so much room.
    pub fn filled(&mut self, len: usize) -> Result<(), ModuleError> {
        let Ok(input) = &mut self.input else { return self.check() };
        input.buffer.advance(len);
        match self.engine.upgrade() {
            Some(engine) => {
                let _entered = self.started.enter();
                input.decode(engine.service(), &self.decoding);
                input.go_on(engine.service(), self.number, &self.cancel);
            }
            None => self.give_up(ModuleError::EngineDropped),
        }
        self.check()
    }

    /// Bytes that have come, less those that did not matter.
    pub fn bytes(&self) -> &[u8] {
        self.input.as_ref().map_or(&[], |input| input.buffer.bytes())
    }

    /// Is it known already that there will be no module, as the structure of the bytes is at fault? Then more are of no use,
    /// and are dropped. It depends on the bytes alone. Faults within functions are for the end.
    pub fn has_failed(&self) -> bool {
        self.input.as_ref().map_or(true, |input| input.decoder.has_failed())
    }

    /// All bytes have come: makes the module.
    ///
    /// # Errors
    /// The same as for the bytes at once: the fault with the earliest offset, or that code memory is full. And when the
    /// engine is gone.
    pub fn finish(self) -> Result<Arc<NativeModule>, ModuleError> {
        self.check()?;
        let engine = self.engine.upgrade().ok_or(ModuleError::EngineDropped)?;
        self.finish_by(engine.service())
    }

    /// The same, for a task too, which must not keep the engine.
    fn finish_by(mut self, service: &Arc<Service>) -> Result<Arc<NativeModule>, ModuleError> {
        let last_byte = *self.last_byte.get_or_insert_with(Instant::now);
        let input = std::mem::replace(&mut self.input, Err(ModuleError::Cancelled))?;
        let Input { buffer, decoder, role, cpu } = input;
        let bytes = WireBytes::from(buffer.finish());
        match role {
            Role::Maker(maker) => self.make(service, maker, Arrived { bytes, decoder, cpu }),
            // The cache may have it. If not, or if there is no code to speak of, nothing is gained from what is known.
            Role::Undecided | Role::Collector => {
                let span = self.started.span().clone();
                let asked = Asked::by_stream(service, span, last_byte);
                asked.answer(bytes.into(), self.imports.clone())
            }
        }
    }

    /// Ends the job, and gives back all that it has.
    pub fn abort(self) {
        drop(self);
    }

    fn check(&self) -> Result<(), ModuleError> {
        self.input.as_ref().map(drop).map_err(Clone::clone)
    }

    fn give_up(&mut self, error: ModuleError) {
        if let Ok(Input { role: Role::Maker(Maker { bodies: Some(bodies), .. }), .. }) = &self.input {
            bodies.stop();
        }
        self.input = Err(error);
    }

    /// Makes the module from what is known of it, and publishes it.
    fn make(&self, service: &Arc<Service>, maker: Maker, arrived: Arrived) -> Result<Arc<NativeModule>, ModuleError> {
        let bytes = arrived.bytes.clone();
        let _entered = self.started.enter();
        let (claim, result) = self.make_unpublished(service, maker, arrived);
        service.events.end(&self.started, Some(self.number), || {
            let result = result.as_deref().map_err(|_| &*bytes);
            module::outcome(service, (CompileMethod::Streaming, self.last_byte), false, result)
        });
        let ours = result?;
        let Some(claim) = claim else { return Ok(ours) };
        let module = claim.publish(self.imports.clone(), Arc::clone(&ours));
        if !Arc::ptr_eq(&ours, &module) {
            module::tell(service, CacheOutcome::Conflict, Some(&module));
        }
        Ok(module)
    }

    fn make_unpublished(
        &self,
        service: &Arc<Service>,
        maker: Maker,
        arrived: Arrived,
    ) -> (Option<StreamClaim>, Result<Arc<NativeModule>, ModuleError>) {
        let compile = service.config.strategy == Strategy::Eager && !arrived.decoder.has_failed();
        let joined = maker.bodies.map_or(Joined::NOTHING, |bodies| bodies.join(compile));
        let threads = if maker.alone { 1 } else { helpers(service) + 1 };
        (maker.claim, self.make_joined(service, joined, arrived, (maker.started, threads)))
    }

    fn make_joined(
        &self,
        service: &Arc<Service>,
        joined: Joined,
        arrived: Arrived,
        (started, threads): (Started, usize),
    ) -> Result<Arc<NativeModule>, ModuleError> {
        self.cancel.check()?;
        let (events, number) = (&service.events, Some(self.number));
        let compilation =
            Compilation { service, number: self.number, cancel: self.cancel.clone(), method: CompileMethod::Streaming };
        let Arrived { bytes, decoder, cpu } = arrived;
        let before = events.thread_time();
        let decoded = self.decoding.span().in_scope(|| decoder.finish(&bytes, joined.valid));
        let cpu = cpu + events.thread_time().saturating_sub(before);
        events.end(&self.decoding, number, || EventKind::decoded(compilation.method, bytes.len(), cpu, &decoded));
        let decoded = decoded?;
        if !service.config.lazy_validation {
            let (code, cpu) = (code_bytes(&decoded.info), joined.cpu);
            events.end(&started, number, || EventKind::Validate { bytes: code, threads, cpu });
        }
        let valid = compilation.validate_rest(decoded, joined.valid, &bytes, &self.imports)?;
        let module = compilation.build(valid, bytes)?;
        early::add(service, &module, joined.codes);
        compilation.finish(&module)?;
        Ok(module)
    }
}

impl Drop for StreamingJob {
    fn drop(&mut self) {
        let aborted = self.input.is_ok();
        self.give_up(ModuleError::Cancelled);
        if aborted && let Some(engine) = self.engine.upgrade() {
            quietly(|| tell(engine.service(), self.number, StreamStep::Abort));
        }
    }
}

impl Input {
    /// As many of `len` bytes as there can be room for; one at least, so that too long a stream is an error.
    fn wanted(&self, len: usize) -> usize {
        len.min(self.buffer.limit() - self.buffer.bytes().len()).max(1)
    }

    /// Decodes what is complete of the bytes that there are. Also of those that are only collected: when a stream ends must
    /// not depend on which modules there happen to be.
    fn decode(&mut self, service: &Service, decoding: &Started) {
        let bytes = self.buffer.bytes();
        let before = service.events.thread_time();
        decoding.span().in_scope(|| self.decoder.advance(bytes));
        self.cpu += service.events.thread_time().saturating_sub(before);
    }

    /// Does what else can be done with them.
    fn go_on(&mut self, service: &Arc<Service>, number: ModuleNumber, cancel: &Cancel) {
        if matches!(self.role, Role::Undecided) {
            self.role = self.decide(service, number, cancel);
        }
        if let Role::Maker(maker) = &mut self.role {
            maker.hand_over(&self.decoder, service, number);
        }
    }

    /// What to do about the bodies, if they have begun.
    fn decide(&self, service: &Arc<Service>, number: ModuleNumber, cancel: &Cancel) -> Role {
        let Some(head) = self.decoder.head() else { return Role::Undecided };
        let code = head.info.code_section.as_ref().map_or(0, ExactSizeIterator::len);
        let mut claim = None;
        if service.config.module_cache {
            let mut hasher = PrefixHasher::new();
            for section in self.decoder.sections() {
                hasher.section(section.id, &self.buffer.bytes()[section.contents.clone()]);
            }
            claim = service.cache.claim_prefix(hasher.code(code));
            let step = if claim.is_some() { StreamStep::Own } else { StreamStep::Collect };
            tell(service, number, step);
            if claim.is_none() {
                return Role::Collector;
            }
        }
        let alone = code < tuning::PARALLEL_VALIDATION || helpers(service) == 0;
        let lazy = service.config.lazy_validation;
        let started = service.events.start(if lazy { Span::none() } else { spans::validate(number) });
        let bodies = (!lazy).then(|| {
            // Little code is compiled when all of it is there, by all threads.
            let compiler = EarlyCompiler::new(service, number, head).filter(|_| code >= tuning::PARALLEL_VALIDATION);
            let source = Source { head: Arc::clone(head), bytes: self.buffer.readable() };
            Bodies::new(source, cancel.clone(), service.events.clone(), started.span().clone(), compiler)
        });
        Role::Maker(Maker { claim, bodies, started, handed: 0, alone })
    }
}

impl Maker {
    /// Hands the bodies that are complete to those who validate and compile.
    fn hand_over(&mut self, decoder: &StreamDecoder, service: &Arc<Service>, number: ModuleNumber) {
        let (Some(bodies), complete) = (&self.bodies, decoder.bodies()) else { return };
        bodies.add(&complete[self.handed..]);
        self.handed = complete.len();
        let label = Label { name: "stream", module: Some(number) };
        let spawn = |task| service.workers.spawn(Urgency::Normal, label, task).is_some();
        self.alone = self.alone || !bodies.submit(helpers(service), spawn);
        if self.alone {
            bodies.work();
        }
    }
}

/// Tells what became of a stream.
fn tell(service: &Service, number: ModuleNumber, step: StreamStep) {
    service.events.mark(Some(number), EventKind::Stream { step });
}

/// Threads that may work on a stream beside the one that pushes.
fn helpers(service: &Service) -> usize {
    service.workers.threads().saturating_sub(1).min(service.workers.task_threads())
}

/// Address space for the largest module, or for as large a one as there is.
fn reserve(limits: &Limits) -> io::Result<AppendBuffer> {
    let mut len = StreamDecoder::most_bytes(limits);
    loop {
        match AppendBuffer::new(len) {
            Err(_) if len > LEAST_RESERVED => len = (len / 4).max(LEAST_RESERVED),
            result => return result,
        }
    }
}

fn no_memory(error: &io::Error) -> ModuleError {
    ModuleError::Compile(CompileError::limit(None, format!("no memory for the bytes of the module: {error}")))
}
