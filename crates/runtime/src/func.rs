//! Functions as values: host functions, and what a reference to any function holds.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

pub use abi::layout::{FuncRef, HostContext};
use code::stub_cache::Stub;
use wasm::heap;
use wasm::types::{CanonicalTypeIndex, FuncType};

use crate::usage::Share;

/// The shim behind a host function: takes the values of the call and leaves the results in their place. Non-zero means
/// that it left a failure with the store. It must not unwind.
pub type HostShim = unsafe extern "C" fn(context: *mut HostContext, values: *mut u128) -> u64;

/// A host function, apart from any store: its type, its closure, and the stub that reaches it.
pub struct HostFunction {
    /// Its type.
    pub ty: FuncType,
    /// Its type in the engine's registry.
    pub type_id: CanonicalTypeIndex,
    /// What keeps the type registered.
    pub registration: Arc<dyn Any + Send + Sync>,
    /// The stub for this type: it stays as long as the function, which a store that can reach it keeps.
    pub stub: Arc<Stub>,
    /// The stub's address, where a code slot points to.
    pub entry: StubSlot,
    /// Called with the context of the call.
    pub shim: HostShim,
    /// The closure, for the shim.
    pub closure: Box<dyn Any + Send + Sync>,
    /// What it takes of the memory of its engine, if it is a linker's. Set before a store gets it. Others count in their store.
    pub share: Share,
}

/// What a registration of one type owns, in bytes: two lists of one item.
const REGISTERED: usize = 64;

/// A code slot that never changes.
#[derive(Debug)]
#[repr(transparent)]
pub struct StubSlot(pub *const u8);

// SAFETY: the address of machine code, which any thread may read.
unsafe impl Send for StubSlot {}
// SAFETY: as above.
unsafe impl Sync for StubSlot {}

impl fmt::Debug for HostFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostFunction").field("ty", &self.ty).finish_non_exhaustive()
    }
}

impl HostFunction {
    /// What it takes, in bytes, its closure included; but not what that owns elsewhere.
    pub fn heap_bytes(&self) -> usize {
        let registration = heap::shared(&*self.registration) + REGISTERED;
        heap::shared(self) + self.ty.heap_bytes() + heap::block(size_of_val(&*self.closure)) + registration
    }

    /// It is a linker's: it counts itself from now on.
    pub fn count(&self) {
        self.share.set(self.heap_bytes());
    }

    /// Address of the slot that holds the exit stub.
    pub fn slot(&self) -> *const *const u8 {
        &raw const self.entry.0
    }

    /// The host function behind a context.
    ///
    /// # Safety
    /// `context` was made by [`HostFunction::context`], and its store, which holds the function, lives.
    #[inline]
    pub unsafe fn of_context<'a>(context: *const HostContext) -> &'a HostFunction {
        // SAFETY: promised by the caller; `data` is what `context` put there.
        unsafe { &*(*context).data.cast() }
    }
}

/// A host function in a store, not bound to a caller.
#[derive(Debug)]
pub struct HostEntity {
    /// The function.
    pub function: Arc<HostFunction>,
    /// Its context.
    pub context: HostContext,
    /// What references to it point to.
    pub func_ref: FuncRef,
}
