//! `ModuleFuture`: a module that is made in the background.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use engine::compile::asynchronous::AsyncModule;
use engine::error::ModuleError;

use super::Module;
use crate::compile_options::CompileOptions;
use crate::engine::{Engine, EngineWeak};
use crate::error::{Error, Result};
use crate::handle::StoreHandle;
use crate::store::StoreContextMut;

impl Module {
    /// Makes a module from the binary or the text format, as [`Module::new`] does, but in the background: on the engine's
    /// [pool](crate::Config::pool). Needs no executor: the future can be polled by any.
    ///
    /// The engine starts at once. Text is parsed at once, on this thread.
    ///
    /// ```
    /// use upshift::{Engine, Module, Store};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::compile_async(&engine, "(module (func (export \"f\")))");
    /// // With an executor: `let module = module.await?`. With an event loop, see [`ModuleFuture::deliver`]. With neither:
    /// let module = module.wait()?;
    /// assert_eq!(module.exports().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn compile_async(engine: &Engine, bytes: impl Into<Vec<u8>>) -> ModuleFuture {
        Module::compile_async_with(engine, bytes, &CompileOptions::new())
    }

    /// The same, with options. The errors are those of [`Module::new_with`].
    pub fn compile_async_with(engine: &Engine, bytes: impl Into<Vec<u8>>, options: &CompileOptions) -> ModuleFuture {
        let bytes = bytes.into();
        let binary = match wat::parse_bytes(&bytes) {
            Ok(Cow::Owned(binary)) => Ok(binary),
            Ok(Cow::Borrowed(_)) => Ok(bytes),
            Err(error) => Err(Error::from(error)),
        };
        let state = match binary {
            Ok(binary) => State::Started(AsyncModule::compile(&engine.inner, binary.into(), options.imports.clone())),
            Err(error) => State::Failed(error),
        };
        ModuleFuture { engine: engine.weak(), state }
    }
}

/// A module that is being made in the background; see [`Module::compile_async`].
///
/// Its errors are those of [`Module::new`], with the same words. When the engine's last handle is dropped before the module
/// has been taken, it is an error that says so: the future does not keep the engine. Dropping the future cancels the work.
///
/// # Panics
/// When it is polled again after it was ready.
#[must_use = "dropping it cancels the compilation"]
pub struct ModuleFuture {
    engine: EngineWeak,
    state: State,
}

enum State {
    Started(AsyncModule),
    /// The text did not parse.
    Failed(Error),
    Taken,
}

impl fmt::Debug for ModuleFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleFuture").finish_non_exhaustive()
    }
}

impl Future for ModuleFuture {
    type Output = Result<Module>;

    fn poll(mut self: Pin<&mut ModuleFuture>, context: &mut Context<'_>) -> Poll<Result<Module>> {
        let result = match &self.state {
            State::Started(module) => match module.poll(context) {
                Poll::Ready(result) => result.map_err(Error::from_module),
                Poll::Pending => return Poll::Pending,
            },
            State::Failed(_) | State::Taken => match std::mem::replace(&mut self.state, State::Taken) {
                State::Failed(error) => Err(error),
                _ => panic!("a `ModuleFuture` was polled after it was ready"),
            },
        };
        self.state = State::Taken;
        Poll::Ready(result.and_then(|native| match self.engine.upgrade() {
            Some(engine) => Ok(Module::from_native(&engine, native)),
            None => Err(Error::from_module(ModuleError::EngineDropped)),
        }))
    }
}

impl ModuleFuture {
    /// Waits, on this thread, until the module is there. With a pool whose tasks this thread is to run, that is for ever.
    ///
    /// # Errors
    /// As for [`Module::new`]; and when the engine is gone.
    pub fn wait(mut self) -> Result<Module> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match Pin::new(&mut self).poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(result) => return result,
                Poll::Pending => thread::park(),
            }
        }
    }

    /// Has `receive` called with the module, or the error, on the thread of a store: by the store's queue of tasks, when no
    /// Wasm of the store is active, in [`Store::poll`](crate::Store::poll) at the latest. For event loops, which are woken by
    /// [`StoreHandle::set_waker`]. Should the store go before, the work is cancelled.
    ///
    /// ```
    /// use upshift::{Engine, Instance, Module, Store};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, None);
    /// let module = Module::compile_async(&engine, "(module (func (export \"f\")))");
    /// module.deliver(&store.handle(), |mut store, module| {
    ///     *store.data_mut() = Some(Instance::new(&mut store, &module?, &[])?);
    ///     Ok(())
    /// });
    /// while store.data().is_none() {
    ///     store.poll()?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn deliver<T: 'static>(
        self,
        store: &StoreHandle<T>,
        receive: impl FnOnce(StoreContextMut<'_, T>, Result<Module>) -> Result<()> + Send + 'static,
    ) {
        let waiting = Mutex::new(Some((self, receive)));
        Arc::new(Delivery { store: store.clone(), waiting }).wake();
    }
}

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Unpark>) {
        self.0.unpark();
    }
}

/// A future that is polled by the tasks of a store, and what gets its result.
struct Delivery<T: 'static, F> {
    store: StoreHandle<T>,
    waiting: Mutex<Option<(ModuleFuture, F)>>,
}

impl<T: 'static, F> Wake for Delivery<T, F>
where
    F: FnOnce(StoreContextMut<'_, T>, Result<Module>) -> Result<()> + Send + 'static,
{
    fn wake(self: Arc<Delivery<T, F>>) {
        let delivery = Arc::clone(&self);
        if !self.store.post_idle(move |store| delivery.poll(store)) {
            drop(self.take());
        }
    }
}

impl<T: 'static, F> Delivery<T, F> {
    fn take(&self) -> Option<(ModuleFuture, F)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T: 'static, F> Delivery<T, F>
where
    F: FnOnce(StoreContextMut<'_, T>, Result<Module>) -> Result<()> + Send + 'static,
{
    /// On the store's thread, so never twice at once.
    fn poll(self: Arc<Delivery<T, F>>, store: StoreContextMut<'_, T>) -> Result<()> {
        let Some((mut module, receive)) = self.take() else { return Ok(()) };
        let waker = Waker::from(Arc::clone(&self));
        match Pin::new(&mut module).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => receive(store, result),
            Poll::Pending => {
                *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some((module, receive));
                Ok(())
            }
        }
    }
}

/// Makes a module ready for an instantiation, as far as that needs no store.
pub(crate) async fn prepare(module: &Module, checked: bool) {
    let Some(prepared) = AsyncModule::prepare(&module.engine.inner, &module.native, checked) else { return };
    // An error will come again, if it matters, when the instance is made.
    let _ = poll_fn(|context| prepared.poll(context)).await;
}
