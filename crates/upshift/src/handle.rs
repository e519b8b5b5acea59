//! `StoreHandle`: what other threads may do with a store.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::task::{Poll, Waker};

use runtime::error::Failure;
use runtime::foreground::{Foreground, Task};

use crate::error::Result;
use crate::store::{StoreContextMut, StoreInner};

/// A handle to a store, for any thread. It does not keep the store: when that is gone, nothing happens any more.
///
/// ```
/// use upshift::{Engine, Instance, Module, Store, Trap};
///
/// # fn main() -> upshift::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module (func (export "spin") (loop (br 0))))"#)?;
/// let mut store = Store::new(&engine, 0);
/// let spin = Instance::new(&mut store, &module, &[])?.get_typed_func::<(), ()>(&mut store, "spin")?;
///
/// let handle = store.handle();
/// let watchdog = std::thread::spawn(move || {
///     // Runs in the middle of the loop, on the thread that runs the loop.
///     let sent = handle.post(|mut store| {
///         *store.data_mut() += 1;
///         Err(upshift::Error::msg("enough"))
///     });
///     assert!(sent);
/// });
/// assert_eq!(spin.call(&mut store, ()).unwrap_err().root_cause().to_string(), "enough");
/// watchdog.join().unwrap();
/// assert_eq!(*store.data(), 1);
/// # Ok(())
/// # }
/// ```
pub struct StoreHandle<T: 'static> {
    foreground: Foreground,
    _data: PhantomData<fn(T)>,
}

impl<T: 'static> Clone for StoreHandle<T> {
    fn clone(&self) -> StoreHandle<T> {
        StoreHandle { foreground: self.foreground.clone(), _data: PhantomData }
    }
}

impl<T: 'static> fmt::Debug for StoreHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreHandle").field(&self.foreground).finish()
    }
}

impl<T: 'static> StoreHandle<T> {
    pub(crate) fn new(foreground: Foreground) -> StoreHandle<T> {
        StoreHandle { foreground, _data: PhantomData }
    }

    /// Has `task` run on the store's thread, once: soon if Wasm of the store runs, which is interrupted for it; otherwise when
    /// the host next calls Wasm, before that begins, or in [`Store::poll`](crate::Store::poll). Tasks run in the order in which
    /// they were posted, never inside each other.
    ///
    /// An error ends the running call with that error; a panic does as one of a host function. The task may use the store as
    /// a host function may, calls of Wasm included. While it runs, Wasm waits.
    ///
    /// False if the store is gone; the task is dropped then. So it is, on the thread of the store, if that goes before it
    /// runs the task.
    pub fn post(&self, task: impl FnOnce(StoreContextMut<'_, T>) -> Result<()> + Send + 'static) -> bool {
        self.foreground.post(Self::wrap(task)).is_ok()
    }

    /// As [`StoreHandle::post`], but the task is run only when no Wasm of the store is active: what must not happen in the
    /// middle of a program, as the reactions of a promise.
    pub fn post_idle(&self, task: impl FnOnce(StoreContextMut<'_, T>) -> Result<()> + Send + 'static) -> bool {
        self.foreground.post_idle(Self::wrap(task)).is_ok()
    }

    /// Ends the calls of Wasm that are under way in the store with [`Trap::Interrupt`](crate::Trap::Interrupt), all of them
    /// where the host and Wasm call each other. Wasm that runs ends soon; a host function is let to its end. No Wasm of the
    /// store runs until the outermost call has returned.
    ///
    /// Changes nothing if no call is under way: later calls are not affected.
    pub fn terminate(&self) {
        self.foreground.terminate();
    }

    /// Sets who is woken, once, by the next task; at once if a task waits already, or the store is gone. For event loops that
    /// call [`Store::poll`](crate::Store::poll).
    pub fn set_waker(&self, waker: Waker) {
        self.foreground.set_waker(waker);
    }

    /// Ready as soon as a task waits: true. False when the store is gone.
    pub async fn ready(&self) -> bool {
        poll_fn(|context| {
            let state = || match (self.foreground.is_closed(), self.foreground.is_empty()) {
                (true, _) => Some(false),
                (false, empty) => (!empty).then_some(true),
            };
            match state() {
                Some(ready) => Poll::Ready(ready),
                None => {
                    // Wakes at once what has become ready meanwhile.
                    self.foreground.set_waker(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Number of tasks that wait.
    pub fn waiting(&self) -> usize {
        self.foreground.len()
    }

    /// Is the store gone?
    pub fn is_closed(&self) -> bool {
        self.foreground.is_closed()
    }

    fn wrap(task: impl FnOnce(StoreContextMut<'_, T>) -> Result<()> + Send + 'static) -> Task {
        Box::new(move |store| {
            // SAFETY: the queue gives its tasks the pinned store, whose data pointer is that of the inner store of this type,
            // and nobody else uses it meanwhile.
            let inner = unsafe { &mut *(*store).data().cast::<StoreInner<T>>() };
            task(StoreContextMut(inner)).map_err(|error| -> Failure { error.into_failure() })
        })
    }
}
