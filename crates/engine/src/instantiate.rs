//! Instantiation in a store, as the engine sees it: it is measured and told of, and the store's use of the module noted.
//!
//! 1. The runtime makes the instance. Compile-time work that this needs (an image, a variant) it asks for through its hooks.
//! 2. If there is an instance then, the store uses the module, and keeps it as long as the store lives. That may be so
//!    although the instantiation failed: a segment that does not fit leaves an instance, to whose functions a table may have
//!    references. A store that got no instance keeps nothing, and no debugger hears of the module.
//! 3. So a debugger has the script before the start function, or anything else of the instance, runs.

use std::sync::Arc;

use code::native_module::NativeModule;
use runtime::ids::InstanceId;
use runtime::import::Import;
use runtime::instantiate::{self, InstantiateError};
use runtime::store::Store;

use crate::attachment;
use crate::engine::Engine;
use crate::events::{EventKind, spans};

impl Engine {
    /// Makes an instance of a module that came from this URL, if that is known, with imports that were checked. The start
    /// function is not run. To be called with a store and a module of this engine.
    ///
    /// # Errors
    /// As for [`instantiate::instantiate`].
    pub fn instantiate(
        &self,
        store: &mut Store,
        module: &Arc<NativeModule>,
        imports: &[Import],
        url: Option<&Arc<str>>,
    ) -> Result<InstanceId, InstantiateError> {
        let events = &self.service().events;
        let number = attachment::of(module).number;
        let started = events.start(spans::instantiate(number));
        let _entered = started.enter();
        let result = self.make_instance(store, module, imports, url);
        events.end(&started, Some(number), || EventKind::Instantiate {
            imported_functions: module.info().num_imported_functions as usize,
            success: result.is_ok(),
        });
        result
    }

    fn make_instance(
        &self,
        store: &mut Store,
        module: &Arc<NativeModule>,
        imports: &[Import],
        url: Option<&Arc<str>>,
    ) -> Result<InstanceId, InstantiateError> {
        if store.has_new_instance_of(module) {
            return instantiate::instantiate(store, module, imports);
        }
        let registry = &self.service().registry;
        if url.is_some() {
            // Before the instance is there: a new record begins with those that came without a URL.
            registry.record(store);
        }
        let instances = store.instance_count();
        let result = instantiate::instantiate(store, module, imports);
        // A store without a record needs none yet: its instances say it all.
        if store.instance_count() > instances && store.attachment().is_some() {
            registry.use_module(store, module, url, true);
        }
        result
    }

    /// Tells of an instantiation that failed before it began: for want of the right imports.
    pub fn not_instantiated(&self, module: &NativeModule) {
        let imported_functions = module.info().num_imported_functions as usize;
        let kind = EventKind::Instantiate { imported_functions, success: false };
        self.service().events.mark(Some(attachment::of(module).number), kind);
    }
}
