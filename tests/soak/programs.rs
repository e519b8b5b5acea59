//! Modules that know what their functions return, made from text or real ones.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use upshift::{AsContextMut, Caller, Extern, Instance, Linker, Result, Trap, WasmBacktrace};

use super::world::Guest;
use crate::random::Random;

/// What kind of module, with the number that makes it unlike others of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// Functions that call each other.
    Chain(usize),
    /// Loops, which move up while they run.
    Loops(usize),
    /// Calls through a table, of functions that the feedback sees change.
    Table(usize),
    /// Calls of the host, which calls back.
    Nested(usize),
    /// Traps below some frames.
    Trap(usize),
    /// A memory with data of its own.
    Memory(usize),
    /// A real module, by its place among those that are there.
    Real(usize),
}

use Program::{Chain, Loops, Memory, Nested, Real, Table, Trap as Trapping};

/// A real module: its bytes, and a function without parameters with the least that it returns.
struct RealModule {
    bytes: Arc<[u8]>,
    function: Option<(&'static str, i32)>,
}

static REAL: LazyLock<Vec<RealModule>> = LazyLock::new(|| {
    // Whoever wants more has fetched them for the benchmarks; an ordinary run does with what it makes.
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../benches/.cache/modules");
    let folder = std::env::var_os("UPSHIFT_SOAK_MODULES").map_or(folder, PathBuf::from);
    let known = [
        ("sqlite3.wasm", Some(("sqlite3_libversion_number", 3_000_000))),
        ("resvg.wasm", None),
        ("esbuild.wasm", None),
    ];
    let read = |(name, function)| Some(RealModule { bytes: std::fs::read(folder.join(name)).ok()?.into(), function });
    known.into_iter().filter_map(read).collect()
});

impl Program {
    /// A program; `fresh` gives a number that no program has had, which is asked for seldom: most are known already.
    pub fn random(random: &mut Random, fresh: impl FnOnce() -> usize) -> Program {
        let number = if random.below(4) == 0 { fresh() } else { random.below(4) };
        match random.below(if REAL.is_empty() { 60 } else { 61 }) {
            0..=9 => Chain(number),
            10..=19 => Loops(number),
            20..=29 => Table(number),
            30..=39 => Nested(number),
            40..=49 => Trapping(number),
            50..=59 => Memory(number),
            _ => Real(random.below(REAL.len())),
        }
    }

    pub fn bytes(self) -> Vec<u8> {
        let text = match self {
            Real(place) => return REAL[place].bytes.to_vec(),
            Chain(number) => chain(number),
            Loops(number) => LOOPS.replace("SALT", &number.to_string()),
            Table(number) => TABLE.replace("SALT", &number.to_string()),
            Nested(number) => NESTED.replace("SALT", &number.to_string()),
            Trapping(number) => TRAP.replace("SALT", &number.to_string()),
            Memory(number) => MEMORY.replace("SALT", &number.to_string()),
        };
        wat::parse_str(text).expect("the text format")
    }

    /// Calls what the module exports and checks what comes. An error only if a call ended for a reason that is not the
    /// program's.
    pub fn check(
        self,
        mut store: impl AsContextMut<Data = Guest>,
        instance: Instance,
        random: &mut Random,
    ) -> Result<()> {
        let mut store = store.as_context_mut();
        match self {
            Chain(number) => {
                let n = random.below(1000) as i32;
                let first = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
                assert_eq!(first.call(&mut store, n)?, n + (number * CHAIN) as i32, "{self:?}");
            }
            Loops(number) => {
                let n = random.below(20_000) as i64 + 1;
                let sum = instance.get_typed_func::<(i64, i64), i64>(&mut store, "sum")?;
                assert_eq!(sum.call(&mut store, (n, 3))?, 3 * n * (n + 1) / 2 + number as i64, "{self:?}");
            }
            Table(number) => {
                let n = random.below(3000) as i32 + 1;
                let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
                assert_eq!(run.call(&mut store, n)?, table_result(number as i32, n), "{self:?}");
            }
            Nested(number) => {
                let n = random.below(6) as i32;
                let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
                assert_eq!(run.call(&mut store, n)?, n + number as i32, "{self:?}");
            }
            Trapping(_) => {
                let n = random.below(20) as i32;
                let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
                let error = run.call(&mut store, n).unwrap_err();
                if error.downcast_ref::<Trap>() != Some(&Trap::IntegerDivisionByZero) {
                    return Err(error);
                }
                let frames = error.downcast_ref::<WasmBacktrace>().expect("a backtrace").frames().len();
                // Some lie below, if a host function or a task called.
                assert!(frames > n as usize, "{self:?}: {frames} frames");
            }
            Memory(number) => check_memory(number, &mut store, instance, random)?,
            Real(place) => {
                if let Some((name, least)) = REAL[place].function {
                    let function = instance.get_typed_func::<(), i32>(&mut store, name)?;
                    assert!(function.call(&mut store, ())? >= least, "{name}");
                }
            }
        }
        Ok(())
    }
}

fn check_memory(
    number: usize,
    store: &mut impl AsContextMut<Data = Guest>,
    instance: Instance,
    random: &mut Random,
) -> Result<()> {
    let memory = instance.get_memory(&mut *store, "memory").expect("an export");
    let text = number.to_string();
    assert_eq!(&memory.data(&*store)[70_000..70_000 + text.len()], text.as_bytes());
    let fill = instance.get_typed_func::<(i32, i32, i32), i32>(&mut *store, "fill")?;
    let (address, byte) = (60_000 + random.below(10), random.below(256) as i32);
    let fills = count_fill(store);
    let first = fill.call(&mut *store, (address as i32, byte, 5000))?;
    // A task that ran meanwhile may have filled the same bytes with its own.
    if count_fill(store) == fills + 1 {
        assert_eq!(first, byte);
        assert!(memory.data(&*store)[address..address + 5000].iter().all(|&found| i32::from(found) == byte));
    }
    if memory.size(&*store) < 8 {
        let _ = memory.grow(&mut *store, 1);
    }
    // No memory of this type is that large.
    let error = fill.call(&mut *store, ((8 << 16) - 4000, 1, 4001)).unwrap_err();
    if error.downcast_ref::<Trap>() != Some(&Trap::MemoryOutOfBounds) {
        return Err(error);
    }
    Ok(())
}

fn count_fill(store: &mut impl AsContextMut<Data = Guest>) -> usize {
    let mut store = store.as_context_mut();
    store.data_mut().fills += 1;
    store.data().fills
}

/// What the modules import: `again`, which calls `run` of the caller with one less.
pub fn define_imports(linker: &mut Linker<Guest>) -> Result<()> {
    linker.func_wrap("host", "again", |mut caller: Caller<'_, Guest>, n: i32| -> Result<i32> {
        match caller.data_mut().random.below(8) {
            0 => drop(caller.engine().collect_code()),
            1 => {
                let handle = upshift::AsContext::as_context(&caller).handle();
                handle.post(|mut store| {
                    let data = store.data_mut();
                    data.random.bits();
                    Ok(())
                });
            }
            2 => std::thread::yield_now(),
            _ => {}
        }
        let Some(Extern::Func(run)) = caller.get_export("run") else { upshift::bail!("there is no `run`") };
        run.typed::<i32, i32>(&caller)?.call(&mut caller, n)
    })?;
    Ok(())
}

const CHAIN: usize = 12;

fn chain(number: usize) -> String {
    let mut text = String::from("(module $chain (memory 1)");
    for n in 0..CHAIN {
        let rest = if n + 1 == CHAIN { "(local.get 0)".into() } else { format!("(call {} (local.get 0))", n + 1) };
        text += &format!("(func $f{n} (param i32) (result i32) (i32.add (i32.const {number}) {rest}))");
    }
    text + r#"(export "run" (func 0)))"#
}

const LOOPS: &str = r#"(module $loops
    (func (export "sum") (param $n i64) (param $times i64) (result i64) (local $i i64) (local $sum i64)
        (loop $outer
            (local.set $i (local.get $n))
            (loop $inner
                (local.set $sum (i64.add (local.get $sum) (local.get $i)))
                (br_if $inner (i64.ne (local.tee $i (i64.sub (local.get $i) (i64.const 1))) (i64.const 0))))
            (br_if $outer (i64.ne (local.tee $times (i64.sub (local.get $times) (i64.const 1))) (i64.const 0))))
        (i64.add (local.get $sum) (i64.const SALT))))"#;

const TABLE: &str = r#"(module $table
    (type $op (func (param i32) (result i32)))
    (table 4 funcref)
    (elem (i32.const 0) $add $xor $rotate $add)
    (func $add (param i32) (result i32) (i32.add (local.get 0) (i32.const SALT)))
    (func $xor (param i32) (result i32) (i32.xor (local.get 0) (i32.const SALT)))
    (func $rotate (param i32) (result i32) (i32.rotl (local.get 0) (i32.const 5)))
    (func (export "run") (param $n i32) (result i32) (local $x i32)
        (loop $next
            (local.set $x (call_indirect (type $op) (local.get $x) (i32.and (local.get $n) (i32.const 3))))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $x)))"#;

fn table_result(number: i32, n: i32) -> i32 {
    (1..=n).rev().fold(0_i32, |x, n| match n & 3 {
        1 => x ^ number,
        2 => x.rotate_left(5),
        _ => x.wrapping_add(number),
    })
}

const NESTED: &str = r#"(module $nested
    (import "host" "again" (func $again (param i32) (result i32)))
    (func $run (export "run") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
            (then (i32.const SALT))
            (else (i32.add (i32.const 1) (call $again (i32.sub (local.get 0) (i32.const 1))))))))"#;

const TRAP: &str = r#"(module $trap
    (func $run (export "run") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
            (then (i32.div_u (i32.const SALT) (local.get 0)))
            (else (i32.add (i32.const 1) (call $run (i32.sub (local.get 0) (i32.const 1))))))))"#;

const MEMORY: &str = r#"(module $memory
    (memory (export "memory") 2 8)
    (data (i32.const 70000) "SALT")
    (func (export "fill") (param $at i32) (param $byte i32) (param $len i32) (result i32)
        (loop $next
            (i32.store8 (i32.add (local.get $at) (i32.sub (local.get $len) (i32.const 1))) (local.get $byte))
            (br_if $next (local.tee $len (i32.sub (local.get $len) (i32.const 1)))))
        (i32.load8_u (local.get $at))))"#;
