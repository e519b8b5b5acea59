//! Stores without an engine, for the tests of this crate.

use std::sync::Arc;

use abi::compiler::CompileError;
use code::native_module::NativeModule;
use code::space::CodeSpace;
use wasm::types::DefinedFuncIndex;

use crate::foreground::Foreground;
use crate::hooks::{Hooks, HotLoop, LazyError};
use crate::ids::StoreId;
use crate::image::InitialImage;
use crate::references::ReferenceImage;
use crate::store::{Environment, Store};
use crate::stores::Running;

/// What no store without instances comes to.
#[derive(Debug)]
struct NoHooks;

impl Hooks for NoHooks {
    fn compile_lazily(&self, _: &Arc<NativeModule>, _: DefinedFuncIndex, _: &Running) -> Result<*const u8, LazyError> {
        unreachable!()
    }

    fn tier_up(&self, _: &Arc<NativeModule>, _: DefinedFuncIndex, _: &Running) -> *const u8 {
        unreachable!()
    }

    fn loop_tier_up(&self, _: &Arc<NativeModule>, _: HotLoop, _: &Running) -> Option<*const u8> {
        unreachable!()
    }

    fn safepoint(&self, _: &Running) {
        unreachable!()
    }

    fn checked_variant(&self, _: &Arc<NativeModule>) -> Result<Arc<NativeModule>, CompileError> {
        unreachable!()
    }

    fn image(&self, _: &Arc<NativeModule>) -> Option<Arc<InitialImage>> {
        None
    }

    fn references(&self, _: &Arc<NativeModule>) -> Option<Arc<ReferenceImage>> {
        None
    }

    fn store_made(&self, _: StoreId) {}

    fn store_dropped(&self, _: StoreId) {}
}

/// A store with nothing in it, and its queue.
pub(crate) fn store() -> (Box<Store>, Foreground) {
    let environment = Environment {
        hooks: Arc::new(NoHooks),
        stores: Arc::default(),
        space: CodeSpace::new(1 << 16).unwrap(),
        epoch: Arc::default(),
        memory_policy: Default::default(),
        memory_pool: Arc::default(),
        max_wasm_stack: 1 << 20,
        backtraces: false,
        offer_safepoints: false,
    };
    let mut store = Box::new(Store::new(environment));
    store.pin(std::ptr::null_mut());
    let foreground = store.foreground().clone();
    (store, foreground)
}
