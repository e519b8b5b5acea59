//! Calls that are terminated where they are hard to find: at their entry, where tasks run, and in what takes long in the
//! runtime.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use upshift::{Caller, Engine, Instance, Linker, Module, Store, StoreHandle, Trap, TypedFunc};

const ENDLESS: &str = r#"(module
    (import "host" "function" (func $host))
    (func (export "spin") (loop (br 0)))
    (func (export "host") (call $host))
    (func (export "nothing")))"#;

type Run = TypedFunc<(), ()>;

/// A store whose data are functions: an endless one, one that calls the host, and one that does nothing.
fn store(host: impl Fn(Caller<'_, Vec<Run>>) -> upshift::Result<()> + Send + Sync + 'static) -> Store<Vec<Run>> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Vec::new());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "function", host).unwrap();
    let instance: Instance = linker.instantiate(&mut store, &Module::new(&engine, ENDLESS).unwrap()).unwrap();
    for name in ["spin", "host", "nothing"] {
        let function = instance.get_typed_func(&mut store, name).unwrap();
        store.data_mut().push(function);
    }
    store
}

fn assert_interrupted(outcome: upshift::Result<()>) {
    assert_eq!(outcome.unwrap_err().downcast_ref::<Trap>(), Some(&Trap::Interrupt));
}

/// Terminates the store once it is told to, and says when that is done.
fn watchdog<T: 'static>(handle: StoreHandle<T>) -> (mpsc::Sender<()>, mpsc::Receiver<()>) {
    let (tell, told) = mpsc::channel();
    let (say, said) = mpsc::channel();
    thread::spawn(move || {
        while told.recv().is_ok() {
            handle.terminate();
            if say.send(()).is_err() {
                break;
            }
        }
    });
    (tell, said)
}

/// Posts a task that has the store terminated by another thread, and is run to its end.
fn post_watchdog(store: &Store<Vec<Run>>) {
    let (tell, said) = watchdog(store.handle());
    store.handle().post(move |_| {
        tell.send(()).unwrap();
        said.recv().unwrap();
        Ok(())
    });
}

#[test]
fn a_call_whose_tasks_run_has_begun() {
    let mut store = store(|_| Ok(()));
    let [spin, _, nothing] = *store.data().as_slice() else { unreachable!() };
    post_watchdog(&store);
    assert_interrupted(spin.call(&mut store, ()));
    nothing.call(&mut store, ()).unwrap();
    // By the task itself.
    let handle = store.handle();
    store.handle().post(move |_| {
        handle.terminate();
        Ok(())
    });
    assert_interrupted(spin.call(&mut store, ()));
    nothing.call(&mut store, ()).unwrap();
}

#[test]
fn a_call_in_a_task_at_the_entry_of_a_call_ends_with_both() {
    let mut store = store(|_| Ok(()));
    let [spin, _, nothing] = *store.data().as_slice() else { unreachable!() };
    let (told, inner) = mpsc::channel();
    let handle = store.handle();
    store.handle().post(move |mut store| {
        let watchdog = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            handle.terminate();
        });
        told.send(spin.call(&mut store, ())).unwrap();
        watchdog.join().unwrap();
        // No Wasm of the store runs until the outermost call has returned.
        told.send(nothing.call(&mut store, ())).unwrap();
        Ok(())
    });
    assert_interrupted(spin.call(&mut store, ()));
    assert_interrupted(inner.recv().unwrap());
    assert_interrupted(inner.recv().unwrap());
    nothing.call(&mut store, ()).unwrap();
}

#[test]
fn a_nested_call_whose_tasks_run_ends_with_the_outer_one() {
    let mut store = store(|mut caller| {
        let [spin, ..] = *caller.data().as_slice() else { unreachable!() };
        let (tell, said) = watchdog(upshift::AsContext::as_context(&caller).handle());
        upshift::AsContext::as_context(&caller).handle().post(move |_| {
            tell.send(()).unwrap();
            said.recv().unwrap();
            Ok(())
        });
        assert_interrupted(spin.call(&mut caller, ()));
        Ok(())
    });
    let [_, host, nothing] = *store.data().as_slice() else { unreachable!() };
    assert_interrupted(host.call(&mut store, ()));
    nothing.call(&mut store, ()).unwrap();
}

#[test]
fn tasks_outside_of_calls_are_not_terminated_nor_is_what_follows() {
    let mut store = store(|_| Ok(()));
    let [spin, _, nothing] = *store.data().as_slice() else { unreachable!() };
    post_watchdog(&store);
    assert_eq!(store.poll().unwrap(), 1);
    nothing.call(&mut store, ()).unwrap();
    // A call that a task makes there is a call, and no more than that ends.
    let handle = store.handle();
    store.handle().post(move |mut store| {
        let watchdog = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            handle.terminate();
        });
        assert_interrupted(spin.call(&mut store, ()));
        watchdog.join().unwrap();
        nothing.call(&mut store, ())
    });
    assert_eq!(store.poll().unwrap(), 1);
    nothing.call(&mut store, ()).unwrap();
}

#[test]
fn a_task_that_fails_at_the_entry_takes_a_termination_with_it() {
    let mut store = store(|_| Ok(()));
    let [spin, _, nothing] = *store.data().as_slice() else { unreachable!() };
    post_watchdog(&store);
    store.handle().post(|_| Err(upshift::Error::msg("no")));
    assert_eq!(spin.call(&mut store, ()).unwrap_err().root_cause().to_string(), "no");
    nothing.call(&mut store, ()).unwrap();
}
