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

    /// Adds one who is woken, once, by the next task; at once if a task waits already, or the store is gone. For event loops
    /// that call [`Store::poll`](crate::Store::poll). All who were set since the last task are woken by the next one, each
    /// once ([`Waker::will_wake`]); of more than 64, the oldest is woken early.
    ///
    /// Wakers are woken on the thread that posts, after the task can be found. A panic of one is dropped.
    pub fn set_waker(&self, waker: Waker) {
        self.foreground.add_waker(waker);
    }

    /// Ready as soon as [`Store::poll`](crate::Store::poll) has something to do: true. False when the store is gone. Any number
    /// of these futures may wait at once; the next task makes all of them ready.
    ///
    /// What there is to do may be the engine's own, such as to tell a listener of new code, of which
    /// [`StoreHandle::waiting`] knows nothing.
    pub async fn ready(&self) -> bool {
        let waiting = self.foreground.waiting();
        poll_fn(|context| match waiting.poll(context.waker()) {
            Some(true) => Poll::Ready(true),
            Some(false) => Poll::Pending,
            None => Poll::Ready(false),
        })
        .await
    }

    /// Number of tasks that wait and were posted here, or to another handle, or by
    /// [`ModuleFuture::deliver`](crate::ModuleFuture::deliver). Tasks of the engine are not counted.
    pub fn waiting(&self) -> usize {
        self.foreground.posted()
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
