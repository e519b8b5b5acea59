//! Streaming compilation: a module is decoded, validated and, if it is to be compiled at once, compiled while its bytes
//! arrive.
//!
//! 1. The bytes go to an append-only buffer, which becomes the module's wire bytes ([`StreamingJob::push`], or
//!    [`StreamingJob::room`] and [`StreamingJob::filled`] for a read straight into it). The pushing thread decodes what is
//!    complete.
//! 2. From the code section on, bodies that are complete are validated, and under the eager and the hybrid strategy compiled
//!    (`early`), by tasks of the pool (`bodies`). If there is no thread to do it, or little code, the pushing thread does.
//! 3. A fault is latched: later bytes are dropped, and nothing is said before the end.
//! 4. [`StreamingJob::finish`] helps with what is left, takes the fault with the earliest offset, if there is one, or makes
//!    the module and adds the code that is ready. It never waits for a task that has not begun.
//! 5. [`StreamingJob::abort`], or dropping the job, ends all work and gives back all memory.
//!
//! The job does not keep its engine: when that is gone, the job fails.

use std::io;
use std::sync::Arc;

use abi::compiler::CompileError;
use code::native_module::NativeModule;
use code::wire_bytes::WireBytes;
use sys::append::AppendBuffer;
use wasm::decode::stream::{Decoded, StreamDecoder};
use wasm::limits::Limits;
use wasm::types::DefinedFuncIndex;
use wasm::validate::Scratch;

use crate::attachment::Attachment;
use crate::config::Strategy;
use crate::engine::{Engine, WeakEngine};
use crate::error::ModuleError;
use crate::events::{EventKind, ModuleNumber, Started};
use crate::module;
use crate::pool::Urgency;
use crate::tuning;
use crate::validation::Validation;

mod bodies;
mod early;

use bodies::{Bodies, Joined};
use early::EarlyCompiler;

/// The least address space that a stream makes do with, in bytes, where the system refuses enough for the largest module.
const LEAST_RESERVED: usize = 16 << 20;

/// A module that is arriving.
pub struct StreamingJob {
    engine: WeakEngine,
    number: ModuleNumber,
    started: Started,
    input: Result<Input, ModuleError>,
}

/// What has arrived, and what was made of it.
struct Input {
    buffer: AppendBuffer,
    decoder: StreamDecoder,
    bodies: Option<Arc<Bodies>>,
    /// How many bodies have been handed over.
    handed: usize,
    /// The pushing thread works on bodies, as nobody else does.
    alone: bool,
}

impl StreamingJob {
    /// A job that has no byte yet.
    pub fn new(engine: &Engine) -> StreamingJob {
        let config = engine.config();
        let input = reserve(&config.limits).map(|buffer| Input {
            buffer,
            decoder: StreamDecoder::new(&config.features, &config.limits),
            bodies: None,
            handed: 0,
            alone: false,
        });
        StreamingJob {
            engine: engine.downgrade(),
            number: ModuleNumber::next(),
            started: engine.service().events.start(),
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

    /// Room for the next bytes, for about `len` of them and at least one.
    ///
    /// # Errors
    /// As for [`StreamingJob::push`].
    ///
    /// # Panics
    /// When the job [has failed](StreamingJob::has_failed): there is no room for bytes that do not matter.
    pub fn room(&mut self, len: usize) -> Result<&mut [u8], ModuleError> {
        assert!(!self.has_failed(), "no room in a stream that has failed");
        let input = self.input.as_mut().map_err(|error| error.clone())?;
        let left = input.buffer.limit() - input.buffer.bytes().len();
        let wanted = len.min(left).max(1);
        // Twice: the borrow of a first try would have to outlive the error that is latched.
        if let Err(error) = input.buffer.spare(wanted) {
            self.input = Err(no_memory(&error));
        }
        let input = self.input.as_mut().map_err(|error| error.clone())?;
        input.buffer.spare(wanted).map_err(|error| no_memory(&error))
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
        let Some(engine) = self.engine.upgrade() else {
            self.give_up(gone());
            return self.check();
        };
        input.decode();
        input.hand_over(&engine, self.number);
        Ok(())
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.input.as_ref().map_or(0, |input| input.buffer.bytes().len())
    }

    /// Has no byte come?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is it known already that there will be no module? Then more bytes are of no use, and are dropped.
    pub fn has_failed(&self) -> bool {
        self.input.as_ref().map_or(true, |input| input.decoder.has_failed())
    }

    /// All bytes have come: makes the module.
    ///
    /// # Errors
    /// The same as for the bytes at once: the fault with the earliest offset, or that code memory is full. And when the
    /// engine is gone.
    pub fn finish(mut self) -> Result<Arc<NativeModule>, ModuleError> {
        self.check()?;
        let engine = self.engine.upgrade().ok_or_else(gone)?;
        let len = self.len();
        let result = self.finish_in(&engine);
        engine.service().events.end(self.started, Some(self.number), || EventKind::Module { bytes: len });
        result
    }

    /// Ends the job, and gives back all that it has.
    pub fn abort(self) {
        drop(self);
    }

    fn check(&self) -> Result<(), ModuleError> {
        self.input.as_ref().map(drop).map_err(Clone::clone)
    }

    fn give_up(&mut self, error: ModuleError) {
        self.input = Err(error);
    }

    fn finish_in(&mut self, engine: &Engine) -> Result<Arc<NativeModule>, ModuleError> {
        let input = std::mem::replace(&mut self.input, Err(gone()))?;
        let config = engine.config();
        let joined = input.join(config.strategy == Strategy::Eager);
        let (bytes, decoder) = input.end();
        let first = u32::try_from(joined.valid).unwrap_or(u32::MAX);
        let decoded = decoder.finish(&bytes, first);
        let events = &engine.service().events;
        events.end(self.started, Some(self.number), || EventKind::Decode { bytes: bytes.len() });
        let Decoded { info, bodies } = decoded?;
        let validation = if config.lazy_validation {
            Some(Arc::new(Validation::new(bodies, info.bodies.len())))
        } else {
            let mut scratch = Scratch::default();
            for index in joined.valid..info.bodies.len() {
                bodies.validate(&info, &bytes, DefinedFuncIndex::new(index), &mut scratch)?;
            }
            None
        };
        let module = module::from_decoded(engine, info, bytes, Attachment::new(self.number, validation))?;
        early::add(engine.service(), &module, joined.codes);
        module::compile_by_strategy(engine, &module)?;
        Ok(module)
    }
}

impl Input {
    /// Takes what is complete.
    fn decode(&mut self) {
        self.decoder.advance(self.buffer.bytes());
    }

    /// Hands the bodies that are complete to those who validate and compile.
    fn hand_over(&mut self, engine: &Engine, number: ModuleNumber) {
        let config = engine.config();
        let Some(head) = self.decoder.head() else { return };
        if self.bodies.is_none() && !config.lazy_validation {
            self.alone = head.info.code_section.as_ref().is_none_or(|code| code.len() < tuning::PARALLEL_VALIDATION);
            let compiler = EarlyCompiler::new(engine.service(), number, head).filter(|_| !self.alone);
            self.bodies = Some(Bodies::new(Arc::clone(head), self.buffer.readable(), compiler));
        }
        let Some(bodies) = &self.bodies else { return };
        let complete = self.decoder.bodies();
        bodies.add(&complete[self.handed..]);
        self.handed = complete.len();
        let pool = engine.pool();
        self.alone |= !bodies.submit(pool.task_threads(), |task| pool.spawn(Urgency::Urgent, task));
        if self.alone {
            bodies.work();
        }
    }

    /// What is known of the bodies when all have come and all work is done.
    fn join(&self, compile: bool) -> Joined {
        match &self.bodies {
            Some(bodies) => bodies.join(compile && !self.decoder.has_failed()),
            None => Joined { valid: 0, codes: Vec::new() },
        }
    }

    /// The bytes, and the decoder that has seen them.
    fn end(mut self) -> (WireBytes, StreamDecoder) {
        // The last handle to the head but the decoder's goes with it.
        self.bodies = None;
        let Input { buffer, decoder, .. } = self;
        (WireBytes::from(buffer.finish()), decoder)
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if let Some(bodies) = self.bodies.take() {
            bodies.stop();
        }
    }
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

fn gone() -> ModuleError {
    ModuleError::Compile(CompileError::limit(None, "the engine is gone"))
}
