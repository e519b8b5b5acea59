//! Calls that are terminated where they are hard to find: at their entry, where tasks run, and in what takes long in the
//! runtime.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use upshift::{Caller, Engine, ExternRef, Instance, Linker, Module, Ref, Store, StoreHandle, Table, Trap, TypedFunc};

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

/// The bytes of a large memory, of which a fill is ended while it is under way.
#[test]
fn a_large_fill_is_ended_where_it_is() {
    const PAGES: u64 = 1 << 14;
    let text = format!(
        r#"(module
            (import "host" "function" (func $begin))
            (memory (export "memory") {PAGES})
            (func (export "run")
                (call $begin)
                (memory.fill (i32.const 0) (i32.const 7) (i32.const {}))
                (loop (br 0))))"#,
        PAGES << 16
    );
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let (begin, begun) = mpsc::channel();
    linker.func_wrap("host", "function", move || begin.send(()).unwrap()).unwrap();
    let instance = linker.instantiate(&mut store, &Module::new(&engine, text).unwrap()).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    let handle = store.handle();
    let watchdog = thread::spawn(move || {
        begun.recv().unwrap();
        thread::sleep(Duration::from_millis(2));
        handle.terminate();
    });
    assert_interrupted(run.call(&mut store, ()));
    watchdog.join().unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    let mut byte = [1];
    memory.read(&store, (PAGES << 16) as usize - 1, &mut byte).unwrap();
    assert_eq!(byte, [0], "the fill was waited for");
    // What is done is there, without gaps.
    let bytes = memory.data(&store);
    let filled = bytes.iter().position(|&byte| byte != 7).unwrap();
    assert!(filled % (1 << 20) == 0 && bytes[filled..filled + (2 << 20)].iter().all(|&byte| byte == 0));
}

/// What takes more than one piece is done as what takes one, in both directions.
#[test]
fn large_copies_overlap_as_small_ones_do() {
    const SIZE: usize = 4 << 20;
    const TEXT: &str = r#"(module
        (memory (export "memory") 64) (memory (export "other") 64)
        (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
        (func (export "to") (param i32 i32 i32) (memory.copy 1 0 (local.get 0) (local.get 1) (local.get 2)))
        (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2))))"#;
    let (mut store, instance) = super::instantiate((), TEXT, |_| Vec::new());
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    let other = instance.get_memory(&mut store, "other").unwrap();
    let [copy, to, fill] =
        ["copy", "to", "fill"].map(|name| instance.get_typed_func::<(i32, i32, i32), ()>(&mut store, name).unwrap());
    let mut expected: Vec<u8> = (0..SIZE as u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    memory.write(&mut store, 0, &expected).unwrap();
    let len = (2 << 20) + 12345;
    for (dst, src) in [(0, 1), (1, 0), (3, 1 << 20), (1 << 20, 3), ((1 << 20) + 1, 0), (700_000, 0), (0, 700_000)] {
        expected.copy_within(src..src + len, dst);
        copy.call(&mut store, (dst as i32, src as i32, len as i32)).unwrap();
        assert!(memory.data(&store) == expected, "to {dst} from {src}");
    }
    to.call(&mut store, (5, 9, len as i32)).unwrap();
    assert!(other.data(&store)[5..5 + len] == expected[9..9 + len]);
    fill.call(&mut store, (11, 3, len as i32)).unwrap();
    expected[11..11 + len].fill(3);
    assert!(memory.data(&store) == expected);
    // What does not fit writes nothing.
    for call in [&copy, &to, &fill] {
        let trap = call.call(&mut store, ((SIZE - len + 1) as i32, 0, len as i32)).unwrap_err();
        assert_eq!(trap.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds));
    }
    assert!(memory.data(&store) == expected);
}

#[test]
fn large_tables_are_copied_as_small_ones_are() {
    const SIZE: u64 = 400_000;
    let text = format!(
        r#"(module
            (table $t (export "table") {SIZE} externref) (table $u (export "other") {SIZE} externref)
            (func (export "copy") (param i32 i32 i32)
                (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
            (func (export "to") (param i32 i32 i32) (table.copy $u $t (local.get 0) (local.get 1) (local.get 2)))
            (func (export "fill") (param i32 externref i32)
                (table.fill $t (local.get 0) (local.get 1) (local.get 2))))"#
    );
    let (mut store, instance) = super::instantiate((), &text, |_| Vec::new());
    let [copy, to] =
        ["copy", "to"].map(|name| instance.get_typed_func::<(i32, i32, i32), ()>(&mut store, name).unwrap());
    let [table, other] = ["table", "other"].map(|name| instance.get_table(&mut store, name).unwrap());
    let values: Vec<_> = (0..7_u32).map(|n| ExternRef::new(&mut store, n).unwrap()).collect();
    let mut expected: Vec<u32> = (0..SIZE as u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 16) % 7).collect();
    for (at, &value) in expected.iter().enumerate() {
        table.set(&mut store, at as u64, Ref::Extern(Some(values[value as usize]))).unwrap();
    }
    let len = 300_000;
    for (dst, src) in [(0, 1), (1, 0), (70_000, 0), (0, 70_000)] {
        expected.copy_within(src..src + len, dst);
        copy.call(&mut store, (dst as i32, src as i32, len as i32)).unwrap();
    }
    to.call(&mut store, (1, 2, len as i32)).unwrap();
    let value = |store: &mut Store<()>, table: &Table, at: usize| {
        let Some(Ref::Extern(Some(value))) = table.get(&mut *store, at as u64) else { panic!("no value at {at}") };
        *value.data(&*store).unwrap().unwrap().downcast_ref::<u32>().unwrap()
    };
    for at in (0..SIZE as usize).step_by(97) {
        assert_eq!(value(&mut store, &table, at), expected[at]);
    }
    for at in (0..len).step_by(97) {
        assert_eq!(value(&mut store, &other, 1 + at), expected[2 + at]);
    }
}
