//! Modules that are asked for by many at once, in the background and not: every order of the tasks, every way to end.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use upshift::{Config, Engine, Event, EventKind, EventListener, ManualPool, Module, Pending};

mod asynchronous;
mod cache;
mod callbacks;
pub(crate) mod ending;
mod fallback;
mod instances;
mod schedules;

/// A module with one function, different for every number.
pub(crate) fn wasm(number: u32) -> Vec<u8> {
    let text = format!(
        r#"(module (memory 1) (data (i32.const 0) "{number}") (func (export "f") (result i32) (i32.const {number})))"#
    );
    wat::parse_str(text).unwrap()
}

/// The same, with a body that is not valid: `f64.eqz` would be wanted, but there is none.
pub(crate) fn broken(number: u32) -> Vec<u8> {
    let mut bytes = wasm(number);
    // The first constant is in the body.
    let place = bytes.iter().position(|&byte| byte == 0x41).unwrap();
    bytes[place] = 0x6a;
    bytes
}

/// An engine whose tasks are run by hand.
pub(crate) fn by_hand(config: &mut Config) -> (Engine, Arc<ManualPool>) {
    let pool = Arc::new(ManualPool::new(2));
    (Engine::new(config.pool(pool.clone())).unwrap(), pool)
}

pub(crate) fn names(pool: &ManualPool) -> Vec<&'static str> {
    pool.pending().iter().map(|Pending { label, .. }| label.name).collect()
}

/// Counts how often it was woken.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Wakes>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Polls once.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F, wakes: &Arc<Wakes>) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::clone(wakes))))
}

/// The result of a future that is ready.
pub(crate) fn now<F: Future + Unpin>(future: &mut F) -> F::Output {
    match poll(future, &Arc::default()) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("not ready"),
    }
}

/// Calls `each` with every order of the numbers below `count`.
pub(crate) fn orders(count: usize, mut each: impl FnMut(&[usize])) {
    fn extend(order: &mut Vec<usize>, count: usize, each: &mut dyn FnMut(&[usize])) {
        if order.len() == count {
            return each(order);
        }
        for next in (0..count).filter(|next| !order.contains(next)).collect::<Vec<_>>() {
            order.push(next);
            extend(order, count, each);
            order.pop();
        }
    }
    extend(&mut Vec::new(), count, &mut each);
}

/// Runs waiting tasks in an order given by their first places.
pub(crate) fn run_in_order(pool: &ManualPool, order: &[usize]) {
    for (nth, &place) in order.iter().enumerate() {
        let gone = order[..nth].iter().filter(|&&before| before < place).count();
        assert!(pool.run(place - gone));
    }
}

/// A listener that stops the first thread that comes to a certain event, until it is told to go on.
#[derive(Debug)]
struct Gate {
    at: fn(&EventKind) -> bool,
    /// Says that a thread is here, and lets it go on; gone after the first.
    ends: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

/// The other side of a [`Gate`].
struct Keeper {
    reached: Receiver<()>,
    go: Sender<()>,
}

impl Gate {
    fn new(at: fn(&EventKind) -> bool) -> (Arc<Gate>, Keeper) {
        let ((here, reached), (go, may_go)) = (channel(), channel());
        (Arc::new(Gate { at, ends: Mutex::new(Some((here, may_go))) }), Keeper { reached, go })
    }
}

impl EventListener for Gate {
    fn event(&self, event: &Event) {
        if !(self.at)(&event.kind) {
            return;
        }
        let ends = self.ends.lock().unwrap().take();
        if let Some((here, may_go)) = ends {
            here.send(()).unwrap();
            let _ = may_go.recv();
        }
    }
}

impl Keeper {
    fn wait(&self) {
        self.reached.recv().unwrap();
    }

    fn open(self) {
        drop(self.go);
    }
}

fn is_decode(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Decode { .. })
}

fn is_validate(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Validate { .. })
}

pub(crate) fn assert_one(modules: &[Module]) {
    assert!(modules.iter().all(|module| Module::same(module, &modules[0])));
}
