//! Entry and exit stubs: compiled once per function type and engine, and kept as long as the engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use abi::compiled::CompiledCode;
use abi::compiler::{CompileError, Compiler};
use code::code::{Code, CodeKind};
use code::space::{CodeSpace, SpaceError};
use wasm::heap;
use wasm::types::FuncType;

/// Why there is no stub.
#[derive(Debug)]
pub enum StubError {
    /// A limit of the compiler.
    Compile(CompileError),
    /// There is no code memory.
    Space(SpaceError),
}

/// The stubs of an engine, by function type.
#[derive(Debug, Default)]
pub struct Stubs {
    entry: Mutex<HashMap<FuncType, Arc<Code>>>,
    exit: Mutex<HashMap<FuncType, Arc<Code>>>,
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
    ) -> Result<Arc<Code>, StubError> {
        find_or_make(&self.entry, space, ty, CodeKind::EntryStub, |ty| compiler.entry_stub(ty))
    }

    /// The stub through which compiled code calls host functions of this type.
    ///
    /// # Errors
    /// As for [`Stubs::entry`].
    pub fn exit(&self, compiler: &dyn Compiler, space: &Arc<CodeSpace>, ty: &FuncType) -> Result<Arc<Code>, StubError> {
        find_or_make(&self.exit, space, ty, CodeKind::ExitStub, |ty| compiler.exit_stub(ty))
    }

    /// What they take, in bytes: code memory, and what belongs to it.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let (mut code, mut metadata) = (0, 0);
        for stubs in [&self.entry, &self.exit] {
            let stubs = stubs.lock().unwrap_or_else(PoisonError::into_inner);
            code += stubs.values().map(|stub| stub.footprint()).sum::<usize>();
            metadata += heap::map(&stubs);
            metadata += stubs.iter().map(|(ty, stub)| ty.heap_bytes() + stub.metadata_size()).sum::<usize>();
        }
        (code, metadata)
    }
}

fn find_or_make(
    stubs: &Mutex<HashMap<FuncType, Arc<Code>>>,
    space: &Arc<CodeSpace>,
    ty: &FuncType,
    kind: CodeKind,
    make: impl FnOnce(&FuncType) -> Result<CompiledCode, CompileError>,
) -> Result<Arc<Code>, StubError> {
    let lock = || stubs.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stub) = lock().get(ty) {
        return Ok(Arc::clone(stub));
    }
    // Compiled without the lock; if another thread was faster, its stub is taken and ours dropped.
    let compiled = make(ty).map_err(StubError::Compile)?;
    let stub = space.add(compiled, kind).map_err(StubError::Space)?;
    Ok(Arc::clone(lock().entry(ty.clone()).or_insert(stub)))
}
