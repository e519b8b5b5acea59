//! Entry and exit stubs: made at their first use, one of each for a signature and engine.

use std::sync::Arc;

use abi::compiled::CompiledCode;
use abi::compiler::{CompileError, Compiler};
use code::code::{Code, CodeKind};
use code::space::{CodeSpace, SpaceError};
use code::stub_cache::{Signature, Stub, StubCache};
use wasm::types::FuncType;

/// Why there is no stub.
#[derive(Debug)]
pub enum StubError {
    /// A limit of the compiler.
    Compile(CompileError),
    /// There is no code memory.
    Space(SpaceError),
}

/// The stubs of an engine.
#[derive(Debug, Default)]
pub struct Stubs {
    /// Those through which the host calls compiled functions.
    pub entry: Arc<StubCache>,
    /// Those through which compiled code calls host functions.
    pub exit: Arc<StubCache>,
}

impl Stubs {
    /// The stub through which the host calls functions of this type.
    ///
    /// # Errors
    /// When it cannot be compiled, or code memory is full.
    pub fn entry(
        &self,
        compiler: &dyn Compiler,
        space: &Arc<CodeSpace>,
        ty: &FuncType,
    ) -> Result<Arc<Stub>, StubError> {
        find_or_make(&self.entry, space, ty, CodeKind::EntryStub, |ty| compiler.entry_stub(ty))
    }

    /// The stub through which compiled code calls host functions of this type.
    ///
    /// # Errors
    /// As for [`Stubs::entry`].
    pub fn exit(&self, compiler: &dyn Compiler, space: &Arc<CodeSpace>, ty: &FuncType) -> Result<Arc<Stub>, StubError> {
        find_or_make(&self.exit, space, ty, CodeKind::ExitStub, |ty| compiler.exit_stub(ty))
    }

    /// What they take, in bytes: code memory, and what belongs to it.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let [entry, exit] = self.caches().map(|cache| cache.sizes());
        (entry.0 + exit.0, entry.1 + exit.1)
    }

    /// The code of all that exist.
    pub fn all(&self) -> Vec<Arc<Code>> {
        self.caches().into_iter().flat_map(|cache| cache.codes()).collect()
    }

    /// Both kinds.
    pub fn caches(&self) -> [&Arc<StubCache>; 2] {
        [&self.entry, &self.exit]
    }
}

fn find_or_make(
    cache: &Arc<StubCache>,
    space: &Arc<CodeSpace>,
    ty: &FuncType,
    kind: CodeKind,
    make: impl FnOnce(&FuncType) -> Result<CompiledCode, CompileError>,
) -> Result<Arc<Stub>, StubError> {
    let signature = Signature::of(ty);
    if let Some(stub) = cache.get(&signature) {
        return Ok(stub);
    }
    // Compiled without the lock; if another thread was faster, its stub is taken and ours dropped.
    let compiled = make(ty).map_err(StubError::Compile)?;
    let code = space.add(compiled, kind).map_err(StubError::Space)?;
    Ok(cache.add(signature, code))
}
