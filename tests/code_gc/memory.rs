//! What is freed goes back to the system, also while stores run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use sys::process::resident_bytes;
use upshift::{Config, Engine, Instance, Module, Store, TierChoice};

use crate::child;
use crate::tiering::chain;

/// Ends what runs, also when an assertion fails.
struct End<'a>(&'a Engine);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.increment_epoch();
    }
}

#[test]
fn pages_go_back_while_another_store_runs() {
    child::within("code_gc::memory::pages_go_back_while_another_store_runs", || {
        let engine = Engine::new(Config::new().tier(TierChoice::Baseline).epoch_interruption(true)).unwrap();
        let spinning = Module::new(&engine, r#"(module (func (export "spin") (loop $l (br $l))))"#).unwrap();
        let begun = AtomicBool::new(false);
        thread::scope(|scope| {
            let _end = End(&engine);
            scope.spawn(|| {
                let mut store = Store::new(&engine, ());
                store.set_epoch_deadline(1);
                let spin = Instance::new(&mut store, &spinning, &[]).unwrap();
                let spin = spin.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
                begun.store(true, Ordering::SeqCst);
                spin.call(&mut store, ()).unwrap_err();
            });
            super::wait_for("the store", || begun.load(Ordering::SeqCst));
            let module = Module::new(&engine, chain(20_000, 3)).unwrap();
            let round = || {
                module.compile_all().unwrap();
                let full = (resident_bytes().unwrap(), engine.code_bytes());
                engine.flush_code();
                // The thread that answered last frees it.
                super::wait_for("the code to go", || engine.code_bytes() < full.1 / 4);
                assert_eq!(module.statistics().code_bytes, 0);
                (full, (resident_bytes().unwrap(), engine.code_bytes()))
            };
            round();
            for _ in 0..5 {
                let ((full, code), (empty, left)) = round();
                assert!(code > 3 << 20, "{code} bytes of code, then {left}");
                // Code is mapped twice, so it may count twice; the allocator may keep what belonged to it.
                let given_back = full.saturating_sub(empty);
                assert!(given_back > code as u64 / 2, "{code} bytes of code, {given_back} given back");
            }
        });
    });
}

#[test]
fn code_that_is_replaced_does_not_add_up() {
    child::within("code_gc::memory::code_that_is_replaced_does_not_add_up", || {
        let engine = Engine::new(Config::new().tier(TierChoice::Baseline)).unwrap();
        let module = Module::new(&engine, chain(3000, 3)).unwrap();
        module.compile_all().unwrap();
        let once = engine.code_bytes();
        for _ in 0..10 {
            module.flush_code();
            module.compile_all().unwrap();
            assert!(engine.code_bytes() <= once + once / 4, "{} bytes, {once} at first", engine.code_bytes());
        }
    });
}
