//! Who waits for work of a store: all are woken, whatever the others do, and nothing is counted but what was posted.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use upshift::{CodeListener, Config, CreatedCode, Engine, ManualPool, Module, Script, Store};

use super::instantiate;

/// Counts wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waker, and how often it was woken.
fn counted() -> (Waker, Arc<Count>) {
    let count = Arc::new(Count::default());
    (Waker::from(Arc::clone(&count)), count)
}

fn woken(count: &Count) -> usize {
    count.0.load(Ordering::Relaxed)
}

/// Panics when woken.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("as it should");
    }
}

fn panics() -> Waker {
    Waker::from(Arc::new(Panics))
}

#[test]
fn all_futures_that_wait_are_woken_by_one_task() {
    let mut store = Store::new(&Engine::default(), ());
    let handles = [store.handle(), store.handle()];
    let ((first, one), (second, two)) = (counted(), counted());
    {
        let (mut a, mut b) = (pin!(handles[0].ready()), pin!(handles[1].ready()));
        assert!(a.as_mut().poll(&mut Context::from_waker(&first)).is_pending());
        assert!(b.as_mut().poll(&mut Context::from_waker(&second)).is_pending());
        handles[0].post(|_| Ok(()));
        assert_eq!((woken(&one), woken(&two)), (1, 1));
        assert_eq!(a.as_mut().poll(&mut Context::from_waker(&first)), Poll::Ready(true));
        assert_eq!(b.as_mut().poll(&mut Context::from_waker(&second)), Poll::Ready(true));
    }
    assert_eq!(store.poll().unwrap(), 1);
    // One that moves to another task wakes that, and one that is dropped wakes nobody.
    {
        let mut a = pin!(handles[0].ready());
        assert!(a.as_mut().poll(&mut Context::from_waker(&first)).is_pending());
        assert!(a.as_mut().poll(&mut Context::from_waker(&second)).is_pending());
        let mut b = Box::pin(handles[1].ready());
        assert!(b.as_mut().poll(&mut Context::from_waker(&first)).is_pending());
        drop(b);
        handles[1].post_idle(|_| Ok(()));
        assert_eq!((woken(&one), woken(&two)), (1, 2));
    }
    store.poll().unwrap();
    handles[0].set_waker(first);
    handles[1].set_waker(second);
    drop(store);
    assert_eq!((woken(&one), woken(&two)), (2, 3));
}

#[test]
fn a_waker_that_panics_loses_nothing() {
    let text = r#"(module (func (export "f")))"#;
    let (mut store, instance) = instantiate(0, text, |_| Vec::new());
    let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    let handle = store.handle();
    let (waker, count) = counted();
    handle.set_waker(panics());
    handle.set_waker(waker);
    let add = || {
        handle.post(|mut store| {
            *store.data_mut() += 1;
            Ok(())
        })
    };
    assert!(add());
    assert_eq!((handle.waiting(), woken(&count)), (1, 1));
    f.call(&mut store, ()).unwrap();
    assert_eq!(*store.data(), 1, "the task was announced to the call");
    // At once, as a task waits.
    assert!(add());
    handle.set_waker(panics());
    store.poll().unwrap();
    handle.set_waker(panics());
    drop(store);
    handle.set_waker(panics());
}

#[test]
fn a_waker_that_panics_does_not_panic_out_of_the_end_of_an_engine() {
    let pool = Arc::new(ManualPool::new(2));
    let engine = Engine::new(Config::new().pool(pool)).unwrap();
    let mut first = pin!(Module::compile_async(&engine, "(module)"));
    let mut second = pin!(Module::compile_async(&engine, "(module (func))"));
    let (waker, count) = counted();
    assert!(first.as_mut().poll(&mut Context::from_waker(&panics())).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(engine);
    assert_eq!(woken(&count), 1);
    for future in [first, second] {
        let Poll::Ready(outcome) = future.poll(&mut Context::from_waker(Waker::noop())) else { panic!("no end") };
        assert!(outcome.is_err());
    }
}

#[derive(Debug, Default)]
struct Heard(AtomicUsize);

impl CodeListener for Heard {
    fn code_created(&self, _: &CreatedCode<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn work_of_the_engine_is_done_and_not_counted() {
    let (mut store, _) = instantiate((), r#"(module (func (export "f")))"#, |_| Vec::new());
    let heard = Arc::new(Heard::default());
    store.set_code_listener(Some(heard.clone()));
    let handle = store.handle();
    let mut ready = pin!(handle.ready());
    assert_eq!(handle.waiting(), 0);
    assert_eq!(ready.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(true));
    handle.post(|_| Ok(()));
    assert_eq!((handle.waiting(), store.poll().unwrap(), handle.waiting()), (1, 1, 0));
    assert!(heard.0.load(Ordering::Relaxed) > 0, "the listener was told");
    // So it is with scripts that are cleaned up.
    let (waker, count) = counted();
    let module = Module::new(store.engine(), r#"(module (func (export "g")))"#).unwrap();
    let script: Script = store.import_module(&module);
    store.poll().unwrap();
    handle.set_waker(waker);
    drop((script, module));
    assert_eq!((handle.waiting(), store.poll().unwrap()), (0, 0));
    assert!(woken(&count) <= 1);
}

#[test]
fn tasks_that_wait_are_accounted_for() {
    let mut store = Store::new(&Engine::default(), ());
    let usage = |store: &Store<()>| (store.memory_usage().tasks, store.engine().memory_usage().stores.tasks);
    assert_eq!(usage(&store), (0, 0));
    for _ in 0..100 {
        let data = [0_u8; 1000];
        store.handle().post(move |_| {
            std::hint::black_box(&data);
            Ok(())
        });
    }
    let (of_store, of_engine) = usage(&store);
    assert!((100_000..120_000).contains(&of_store), "{of_store}");
    assert_eq!(of_store, of_engine);
    store.poll().unwrap();
    assert_eq!(usage(&store), (0, 0));
    store.handle().post(|_| Ok(()));
    let engine = store.engine().clone();
    drop(store);
    assert_eq!(engine.memory_usage().stores.tasks, 0);
}
