//! The built command, as a shell sees it: output, messages and exit codes.

mod support;

use support::{File, upshift, upshift_fed};

const MATH: &str = r#"(module $math
  (func $add (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "both") (param f64) (result f64 i64) (local.get 0) (i64.const -7))
  (func $oops (export "oops") (call $inner))
  (func $inner unreachable)
  (func (export "spin") (loop (br 0)))
  (memory (export "memory") 1)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

/// Prints its second argument and its variable `WHO`, then ends with code 7.
const WASI: &str = r#"(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $print (param $at i32) (local $end i32)
    (local.set $end (local.get $at))
    (loop $next
      (if (i32.load8_u (local.get $end))
        (then (local.set $end (i32.add (local.get $end) (i32.const 1))) (br $next))))
    (i32.store8 (local.get $end) (i32.const 10))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.add (i32.const 1) (i32.sub (local.get $end) (local.get $at))))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (drop (call $args_get (i32.const 16) (i32.const 256)))
    (call $print (i32.load (i32.const 20)))
    (drop (call $environ_get (i32.const 16) (i32.const 1024)))
    (call $print (i32.load (i32.const 16)))
    (call $proc_exit (i32.const 7))))"#;

#[test]
fn run_calls_exports() {
    let math = File::new("math.wat", MATH);
    upshift(&["run", "--invoke", "add", math.path(), "2", "-3"]).exits(0).out("-1\n").err("");
    upshift(&["run", "--invoke", "both", math.path(), "1.5"]).exits(0).out("1.5\n-7\n");
    upshift(&["run", "--invoke", "add", math.path(), "2"]).exits(1).err_has("takes 2 arguments, not 1");
    upshift(&["run", "--invoke", "add", math.path(), "2", "x"])
        .exits(1)
        .err_has("argument 2 of `add`: `x` is not an i32");
    upshift(&["run", "--invoke", "sub", math.path()])
        .exits(1)
        .err_has("error: no function named `sub` is exported\n")
        .err_has("note: the module exports add, both");
    upshift(&["run", math.path()]).exits(1).err_has("--invoke");
}

#[test]
fn run_runs_wasi_programs() {
    let program = File::new("program.wat", WASI);
    let args = ["run", "--env", "WHO=you", program.path(), "--invoke", "last"];
    upshift(&args).exits(7).out("--invoke\nWHO=you\n").err("");
    upshift(&["run", "--dir", "/nowhere/at/all", program.path()]).exits(1).err_has("/nowhere/at/all");
    upshift(&["run", "--env", "NOT_SET_ANYWHERE", program.path()]).exits(1).err_has("NOT_SET_ANYWHERE");
}

#[test]
fn traps_exit_with_134_and_a_backtrace() {
    let math = File::new("traps.wat", MATH);
    let oops = upshift(&["run", "--invoke", "oops", math.path()]).exits(134).out("");
    oops.err_has("unreachable").err_has("math!inner").err_has("math!oops");
    upshift(&["run", "--invoke", "spin", "--timeout", "50ms", math.path()])
        .exits(134)
        .err_has("--timeout")
        .err_has("interrupt");
    upshift(&["run", "--invoke", "spin", "--fuel", "10000", math.path()]).exits(134).err_has("fuel");
}

#[test]
fn names_do_not_reach_the_terminal_raw() {
    let text = r#"(module (@name "\1b]0;x\07") (func (export "\1b[31m\e2\80\ae") unreachable) (func (export "_start") (call 0)))"#;
    let file = File::new("names.wat", text);
    upshift(&["inspect", file.path()]).exits(0).out_has("\\u{1b}[31m\\u{202e}");
    upshift(&["run", file.path()]).exits(134).err_has("\\u{1b}]0;x\\u{7}");
}

/// Sleeps for ten seconds.
const SLEEP: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "\01\00\00\00\00\00\00\00\00\e4\0b\54\02\00\00\00")
    (func (export "_start") (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))))"#;

#[test]
fn a_timeout_ends_a_program_that_waits() {
    let sleep = File::new("sleep.wat", SLEEP);
    let before = std::time::Instant::now();
    upshift(&["run", "--timeout", "50ms", sleep.path()]).exits(134).err_has("--timeout");
    assert!(before.elapsed().as_secs() < 8);
}

#[test]
fn a_timeout_ends_what_runs_in_any_tier_and_costs_no_code() {
    let spins = r#"(module (func $spin (loop (br 0)))
        (func $deep (param i32) (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))))
            (loop (br_if 0 (i32.const 1))))
        (func $tail (export "tail") (return_call $tail))
        (func (export "f") (call $deep (i32.const 10)))"#;
    let called = File::new("spins.wat", &format!("{spins})"));
    let started = File::new("starts.wat", &format!("{spins} (start $spin))"));
    let quick = File::new("quick.wat", r#"(module (func (export "g") (loop)))"#);
    for tier in ["auto", "baseline", "optimizing"] {
        for args in [&["--invoke", "f", called.path()][..], &["--invoke", "tail", called.path()], &[started.path()]] {
            let options = ["run", "--timeout", "50ms", "--tier", tier];
            let run = upshift(&[&options, args].concat()).exits(134);
            run.err_has("the program took longer than --timeout").err_has("wasm trap: interrupt");
        }
        // Calls that are over at once: the next one does not begin.
        let bench = |reps, more: &[&str]| {
            upshift(
                &[&["bench", "--reps", reps, "--json", "--tier", tier], more, &["--invoke", "g", quick.path()]]
                    .concat(),
            )
        };
        bench("1000000", &["--timeout", "100ms"]).exits(134).err_has("the program took longer than --timeout");
        let [plain, timed] = [&[][..], &["--timeout", "9s"]].map(|more| bench("1", more).exits(0).json());
        assert!(plain["code_bytes"].as_u64() > Some(0) && plain["code_bytes"] == timed["code_bytes"]);
    }
}

#[test]
fn memory_has_a_ceiling() {
    let math = File::new("memory.wat", MATH);
    upshift(&["run", "--max-memory", "128K", "--invoke", "grow", math.path(), "1"]).exits(0).out("1\n");
    upshift(&["run", "--max-memory", "128K", "--invoke", "grow", math.path(), "2"]).exits(0).out("-1\n");
    upshift(&["run", "--max-memory", "1K", "--invoke", "grow", math.path(), "0"]).exits(1).err_has("--max-memory");
}

#[test]
fn unknown_imports() {
    let text = r#"(module (import "a" "b" (func $b (result i32))) (import "a" "g" (global $g i32))
        (func (export "f") (result i32) (i32.add (call $b) (global.get $g))))"#;
    let both = File::new("both.wat", text);
    upshift(&["run", "--invoke", "f", both.path()]).exits(1).err_has("a::b").err_has("--unknown-imports");
    upshift(&["run", "--unknown-imports", "default", "--invoke", "f", both.path()]).exits(0).out("0\n");
    let text = r#"(module (import "a" "b" (func $b)) (func (export "f") (call $b)) (func (export "g")))"#;
    let one = File::new("one.wat", text);
    upshift(&["run", "--unknown-imports", "trap", "--invoke", "g", one.path()]).exits(0);
    upshift(&["run", "--unknown-imports", "trap", "--invoke", "f", one.path()]).exits(134).err_has("a::b");
}

/// What is said of a module with these imports.
fn unlinked(imports: &str, expected: &str) {
    let file = File::new("unlinked.wat", &format!("(module {imports} (func (export \"_start\")))"));
    upshift(&["run", file.path()]).exits(1).err(expected);
}

#[test]
fn wrong_imports_are_explained_line_by_line() {
    let advice = "  note: `--unknown-imports trap` runs a program that does not need what it imports\n";
    // WASI is near though the program asks for nothing of it.
    unlinked(
        r#"(import "wasi_snapshot_preview2" "fd_write" (func (param i32)))"#,
        &format!(
            "error: unknown import: `wasi_snapshot_preview2::fd_write` has not been defined (expected function (i32) -> \
             ())\n  note: did you mean `wasi_snapshot_preview1::fd_write`?\n{advice}"
        ),
    );
    unlinked(
        r#"(import "wasi_snapshot_preview1" "fd_wirte" (func)) (import "env" "f" (memory 1))"#,
        &format!(
            "error: unknown import: `wasi_snapshot_preview1::fd_wirte` has not been defined (expected function () -> \
             ())\n  note: did you mean `wasi_snapshot_preview1::fd_write`?\n  note: 1 more import is missing: \
             `env::f`\n{advice}"
        ),
    );
    unlinked(
        r#"(import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))"#,
        "error: incompatible import type for `wasi_snapshot_preview1::proc_exit`: expected function (i64) -> (), given \
         function (i32) -> ()\n  note: parameter 1: expected i64, given i32\n",
    );
    // Names come from the module: none of them steers the terminal.
    unlinked(
        r#"(import "\1b[2Jx" "f" (func))"#,
        &format!(
            "error: unknown import: `\\u{{1b}}[2Jx::f` has not been defined (expected function () -> ())\n  note: no \
             module `\\u{{1b}}[2Jx` is defined, only `wasi_snapshot_preview1`, `wasi_unstable`\n{advice}"
        ),
    );
}

#[test]
fn near_names_of_functions_and_files_are_told() {
    let math = File::new("near.wat", MATH);
    upshift(&["run", "--invoke", "Both", math.path()]).exits(1).err_has(
        "error: no function named `Both` is exported\n  note: did you mean `both`?\n  note: the module exports",
    );
    let wrong = math.path().replace("near.wat", "naer.wat");
    upshift(&["run", &wrong])
        .exits(1)
        .err_has(&format!("error: cannot read {wrong}: "))
        .err_has(&format!("  note: did you mean `{}`?\n", math.path()));
}

#[test]
fn stats_and_tiers() {
    let math = File::new("stats.wat", MATH);
    let stats = upshift(&["run", "--stats", "--invoke", "add", math.path(), "1", "1"]).exits(0).out("2\n");
    let stats = stats.err_has("baseline").err_has("declared").err_has("peak memory").err_has("code/Wasm");
    stats.err_has("tier-ups 0").err_has("0 in the queue").err_has("first call into Wasm after").err_has("flushed 0");
    for tier in ["auto", "baseline", "optimizing"] {
        upshift(&["run", "--tier", tier, "--invoke", "add", math.path(), "1", "1"]).exits(0).out("2\n");
    }
    let interp = upshift(&["run", "--tier", "interp", "--invoke", "add", math.path(), "1", "1"]).exits(1);
    interp.err_has("no interpreter").err_has("--tier baseline");
    for when in ["lazy", "eager", "hybrid"] {
        let args = [
            "run",
            "--compile",
            when,
            "--lazy-validation",
            "--max-code",
            "1M",
            "--invoke",
            "add",
            math.path(),
            "1",
            "1",
        ];
        upshift(&args).exits(0).out("2\n");
    }
    upshift(&["run", "--tiering-budget", "0", math.path()]).exits(2).err_has("--tiering-budget");
    upshift(&["run", "--compile", "soon", math.path()]).exits(2).err_has("lazy, eager, hybrid");
}

/// Counts to its argument in one loop, which calls.
const HOT: &str = r#"(module $hot
  (func $step (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $count (export "count") (param $n i32) (result i32) (local $i i32)
    (loop $next
      (local.set $i (call $step (local.get $i)))
      (br_if $next (i32.lt_s (local.get $i) (local.get $n))))
    (local.get $i))
  (func (export "fail") (drop (call $count (i32.const 100000))) unreachable)
  (func (@name "</script>\22}]") (export "bad") (result i32) (call $count (i32.const 3))))"#;

#[test]
fn traces_and_timelines_show_a_loop_that_gets_hot() {
    let hot = File::new("hot.wat", HOT);
    let (trace, page) = (File::new("hot.json", "old"), File::new("hot.html", "old"));
    let files = ["--trace", trace.path(), "--timeline", page.path()];
    let hurried = ["--sync-tier-up", "--tiering-budget", "1000", "--no-inlining"];
    let args = ["--stats", "--invoke", "count", hot.path(), "100000"];
    let stats = upshift(&[&["run"][..], &files, &hurried, &args].concat()).exits(0).out("100000\n");
    stats.err_has("optimizing").err_has("OSR entries").err_has("went on in an OSR entry 1");
    let events = trace.json()["traceEvents"].as_array().cloned().unwrap_or_default();
    let of = |name: &str| events.iter().filter(|event| event["name"] == name).cloned().collect::<Vec<_>>();
    assert_eq!(of("wasm.CompileLazy").len(), 2);
    for name in ["wasm.TriggerOsr", "wasm.CompileOsr", "wasm.OsrEnter"] {
        assert_eq!(of(name)[0]["args"]["function"], "count", "{name}");
    }
    assert_eq!(of("wasm.CompileTopTier")[0]["args"]["function"], "step");
    assert!(page.text().contains("optimizing (OSR)") && page.text().ends_with("</html>\n"));
    let osr = upshift(&[&["run"][..], &files, &hurried, &["--no-osr"], &args].concat()).exits(0);
    osr.err_has("went on in an OSR entry 0");
}

#[test]
fn traces_are_written_however_a_program_ends() {
    let (hot, program) = (File::new("ends.wat", HOT), File::new("ends-wasi.wat", WASI));
    let (sleep, wrong) = (File::new("ends-sleep.wat", SLEEP), File::new("ends-wrong.wat", "(module (func i32.add))"));
    let runs: [(i32, &[&str]); 5] = [
        (134, &["--invoke", "fail", hot.path()]),
        (7, &["--env", "A=b", program.path(), "x"]),
        (134, &["--timeout", "50ms", sleep.path()]),
        (1, &[wrong.path()]),
        (0, &["--invoke", "bad", hot.path()]),
    ];
    for (code, args) in runs {
        let (trace, page) = (File::new("ends.json", ""), File::new("ends.html", ""));
        let files = ["run", "--trace", trace.path(), "--timeline", page.path()];
        upshift(&[&files, args].concat()).exits(code);
        assert!(trace.json()["traceEvents"].as_array().is_some_and(|events| events.len() > 2), "{args:?}");
        assert!(page.text().ends_with("</html>\n"), "{args:?}");
    }
}

#[test]
fn files_that_cannot_be_written_are_named() {
    let math = File::new("full.wat", MATH);
    let add = ["--invoke", "add", math.path(), "1", "1"];
    let nowhere = upshift(&[&["run", "--trace", "/no/such/folder/t.json"][..], &add].concat()).exits(1).out("");
    nowhere.err_has("--trace /no/such/folder/t.json: cannot make the file: No such file");
    let full = upshift(&[&["run", "--timeline", "/dev/full"][..], &add].concat()).exits(1).out("2\n");
    full.err_has("--timeline /dev/full: cannot write the file");
    let oops = ["run", "--trace", "/dev/full", "--invoke", "oops", math.path()];
    upshift(&oops).exits(134).err_has("cannot write").err_has("unreachable");
}

#[test]
fn validate_says_where() {
    let good = File::new("good.wat", MATH);
    let bad = File::new("bad.wat", "(module (func) (func $wrong (result i32)))");
    let text = File::new("text.wat", "(module\n  (func (nonsense)))");
    let noise = File::new("noise.wasm", "\0\0\0\0");
    upshift(&["validate", good.path()]).exits(0).out(&format!("{}: valid\n", good.path()));
    let mixed = upshift(&["validate", bad.path(), good.path()]).exits(1).out(&format!("{}: valid\n", good.path()));
    mixed.err_has("wrong").err_has("offset");
    upshift(&["validate", text.path()]).exits(1).err_has("text.wat:2:");
    upshift(&["validate", noise.path()]).exits(1).err_has("noise.wasm");
    upshift(&["validate", "/no/such/file.wasm"]).exits(1).err_has("cannot read /no/such/file.wasm");
    upshift(&["validate", "-"]).exits(1).err("error: standard input is empty\n");
    let missing = good.path().replace("good.wat", "god.wat");
    upshift(&["validate", &missing]).exits(1).err_has(&format!("  note: did you mean `{}`?\n", good.path()));
}

/// A module with a body of three bytes, in the binary format; and the same with a body that is not valid.
const EMPTY: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";
const WRONG: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x05\x01\x03\0\x1a\x0b";

#[test]
fn modules_are_read_from_pipes_as_far_as_they_are_valid() {
    upshift_fed(&["validate", "-"], EMPTY, true).exits(0).out("standard input: valid\n");
    upshift_fed(&["objdump", "-"], EMPTY, true).exits(0).out_has("func 0");
    upshift_fed(&["compile", "-"], EMPTY, true).exits(0).out_has("1 functions");
    let whole = upshift_fed(&["validate", "-"], WRONG, true).exits(1).err_has("standard input: ");
    whole.err_has("offset 0x17").err_has("nothing on stack");
    // A section with a wrong number, and no end of bytes: who waits for the end waits for ever.
    for command in ["validate", "compile", "run", "inspect", "objdump"] {
        let endless = upshift_fed(&[command, "-"], b"\0asm\x01\0\0\0\x7f\x80\x80\x80\x80\x0f", false).exits(1);
        endless.err_has("standard input: ").err_has("offset 0x8");
    }
}

#[test]
fn compile_inspect_and_objdump_show_the_module() {
    let math = File::new("look.wat", MATH);
    let json = upshift(&["compile", "--json", "--threads", "1", math.path()]).exits(0).json();
    assert_eq!(json["functions"], 6);
    assert_eq!(json["tiers"]["baseline"]["functions"], 6);
    let seconds = |key: &str| json[key].as_f64().expect("a number");
    let parts = seconds("decode_cpu_s") + seconds("validate_cpu_s") + seconds("compile_cpu_s");
    assert!(seconds("cpu_s") > 0.0 && (parts - seconds("cpu_s")).abs() < 1e-6);
    assert!(json["tiers"]["baseline"]["code_per_wasm"].as_f64().is_some_and(|ratio| ratio > 0.5));
    upshift(&["compile", math.path()]).exits(0).out_has("baseline").out_has("CPU time");
    upshift(&["compile", "--tier", "optimizing", math.path()]).exits(0).out_has("optimizing").out_has("code/Wasm");
    let lazy = upshift(&["compile", "--json", "--compile", "lazy", math.path()]).exits(0).json();
    assert_eq!(lazy["compiled"], 0);
    let trace = File::new("compile.json", "");
    upshift(&["compile", "--trace", trace.path(), math.path()]).exits(0);
    assert!(trace.text().contains("wasm.CompileBaseline"));
    let inspect = upshift(&["inspect", math.path()]).exits(0);
    inspect.out_has("name: math").out_has("multi-value").out_has("code").out_has("memory");
    for tier in ["baseline", "optimizing"] {
        let add = upshift(&["objdump", "--tier", tier, "--function", "add", math.path()]).exits(0);
        let add = add.out_has("func 0 $add").out_has("i32.add").out_has("ret");
        add.out_has(&format!("by the {tier} tier"));
    }
    let both = upshift(&["objdump", "--func", "$add", math.path()]).exits(0);
    both.out_has("by the baseline tier").out_has("by the optimizing tier");
    upshift(&["objdump", math.path()]).exits(0).out_has("func 5").out_has("unreachable");
    upshift(&["objdump", "--func", "99", math.path()]).exits(1).err_has("`99` is not a function");
}

#[test]
fn bench_reports_json() {
    let math = File::new("bench.wat", MATH);
    let args = ["bench", "--json", "--reps", "3", "--invoke", "add", math.path(), "40", "2"];
    let json = upshift(&args).exits(0).json();
    assert_eq!(json["result"], 42);
    assert_eq!(json["cpu"].as_array().map(Vec::len), Some(3));
    assert_eq!(json["wall"].as_array().map(Vec::len), Some(3));
    for key in
        ["cpu_s", "wall_s", "peak_mb", "load_s", "decode_s", "validate_s", "compile_s", "instantiate_s", "first_call_s"]
    {
        assert!(json[key].is_f64(), "{key}");
    }
    upshift(&["bench", "--reps", "3", "--invoke", "add", math.path(), "40", "2"]).exits(0).out_has("median");
    let program = File::new("bench-program.wat", &WASI.replace("(i32.const 7)", "(i32.const 0)"));
    let json = upshift(&["bench", "--json", "--reps", "2", "--env", "A=b", program.path(), "x"]).exits(0).json();
    assert_eq!(json["cpu"].as_array().map(Vec::len), Some(2));
}

#[test]
fn wast_counts() {
    let good = File::new("good.wast", "(module (func (export \"f\")))\n(assert_return (invoke \"f\"))");
    let bad = File::new("bad.wast", "(module (func (export \"f\")))\n(assert_trap (invoke \"f\") \"unreachable\")");
    upshift(&["wast", good.path()]).exits(0).out("PASS 2 FAIL 0\n");
    let mixed = upshift(&["wast", good.path(), bad.path()]).exits(1).out_has("PASS 3 FAIL 1\n");
    mixed.out_has(&format!("{}:2: ", bad.path()));
    for tier in ["baseline", "optimizing"] {
        upshift(&["wast", "--tier", tier, good.path()]).exits(0).out("PASS 2 FAIL 0\n");
    }
}

#[test]
fn help_completions_and_manual() {
    upshift(&["--help"]).exits(0).out_has("Examples:");
    upshift(&["run", "--help"]).exits(0).out_has("upshift run [OPTIONS] <FILE> [ARGS]...").out_has("--unknown-imports");
    upshift(&["run"]).exits(2).err_has("Usage");
    upshift(&["run", "--timeout", "soon", "x.wasm"]).exits(2).err_has("500ms");
    upshift(&["nonsense"]).exits(2);
    upshift(&["completions", "bash"]).exits(0).out_has("upshift");
    let folder = std::env::temp_dir().join(format!("upshift-man-{}", std::process::id()));
    upshift(&["man", folder.to_str().unwrap()]).exits(0);
    assert!(folder.join("upshift-run.1").exists());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_reader_that_stops_is_no_error() {
    let math = File::new("pipe.wat", MATH);
    for command in ["inspect", "objdump", "compile"] {
        let line =
            format!("{} {command} {} | true; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_upshift"), math.path());
        let output = std::process::Command::new("bash").args(["-c", &line]).output().expect("a shell");
        assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]), "{command}");
    }
}

#[test]
fn an_error_that_cannot_be_written_keeps_its_exit_code() {
    let math = File::new("mute.wat", MATH);
    for (export, code) in [("oops", 134), ("nothing", 1)] {
        let line = format!("{} run --invoke {export} {} 2>/dev/full", env!("CARGO_BIN_EXE_upshift"), math.path());
        let status = std::process::Command::new("bash").args(["-c", &line]).status().expect("a shell");
        assert_eq!(status.code(), Some(code), "{export}");
    }
}

#[test]
fn what_was_recorded_is_written_when_a_program_cannot_begin() {
    let unlinked = File::new("unlinked-r.wat", r#"(module (import "a" "b" (func)) (func (export "_start")))"#);
    let broken = File::new("broken-r.wat", "(module (func i32.add))");
    for (command, file, name) in [
        ("run", unlinked.path(), "wasm.SyncCompile"),
        ("run", broken.path(), "wasm.Decode"),
        ("compile", broken.path(), "wasm.Decode"),
        ("bench", unlinked.path(), "wasm.SyncCompile"),
        ("run", "/no/such/file.wasm", "process_name"),
        ("compile", "/no/such/file.wasm", "process_name"),
    ] {
        let (trace, page) = (File::new("begin.json", ""), File::new("begin.html", ""));
        let metrics = File::new("begin.prom", "");
        let files = ["--trace", trace.path(), "--timeline", page.path(), "--metrics", metrics.path()];
        upshift(&[&[command][..], &files, &[file]].concat()).exits(1);
        let events = trace.json()["traceEvents"].as_array().cloned().unwrap_or_default();
        assert!(events.iter().any(|event| event["name"] == name), "{command} {file}: {events:?}");
        assert!(page.text().ends_with("</html>\n") && metrics.text().contains("upshift_modules_failed_total"));
    }
}

#[test]
fn what_was_recorded_is_written_before_a_signal_ends_the_process() {
    let math = File::new("signal.wat", MATH);
    for signal in ["INT", "TERM"] {
        let (trace, page) = (File::new("signal.json", ""), File::new("signal.html", ""));
        let files = ["--trace", trace.path(), "--timeline", page.path()];
        let spin = [&["run"][..], &files, &["--log", "info", "--invoke", "spin", math.path()]].concat();
        // A shell says what ended the process, and is told when the program runs. Whoever runs the tests in the background
        // has the interruption ignored, which a program respects: here it is not to.
        let line = r#"set -m; env --default-signal=INT,TERM "$@" 2>"$LOG" & while ! grep -q Instantiate "$LOG"; do sleep 0.05; done
            sleep 0.1; kill -s "$SIGNAL" %1; wait %1; echo $?"#;
        let log = File::new("signal.log", "");
        let mut command = std::process::Command::new("bash");
        let command = command.args(["-c", line, "x", env!("CARGO_BIN_EXE_upshift")]).args(spin);
        let output = command.env("LOG", log.path()).env("SIGNAL", signal).output().expect("a shell");
        let code = if signal == "INT" { "130" } else { "143" };
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), code, "{output:?}");
        assert!(trace.text().contains("wasm.CompileLazy") && trace.json()["traceEvents"].is_array());
        assert!(page.text().ends_with("</html>\n"));
    }
}

#[test]
fn reports_that_cannot_be_written_change_nothing() {
    let math = File::new("full.wat", MATH);
    for (redirection, option) in
        [("2>/dev/full", &["--stats"][..]), ("2>/dev/full", &["--metrics", "-"]), ("2>&-", &["--stats"])]
    {
        let line = format!("\"$@\" {redirection}");
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &line, "x", env!("CARGO_BIN_EXE_upshift"), "run"]).args(option);
        let output = command.args(["--invoke", "add", math.path(), "1", "2"]).output().expect("a shell");
        assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"3\n"[..]), "{option:?} {redirection}");
    }
}

#[test]
fn what_is_no_text_is_not_read_to_its_end() {
    for command in ["run", "validate", "compile"] {
        upshift(&[command, "/dev/zero"]).exits(1).err_has("begins with neither");
    }
}

#[test]
fn the_log_says_what_the_engine_does() {
    let math = File::new("log.wat", MATH);
    let log = |level: &str| upshift(&["run", "--log", level, "--invoke", "add", math.path(), "1", "2"]).exits(0);
    let info = log("info").out("3\n").err_has("wasm.SyncCompile: module ready (").err_has("wasm.SyncInstantiate");
    info.err_has(" s] m1 ").err_lacks("lazy f0").err_lacks("publish");
    log("debug").err_has("wasm.CompileLazy: lazy f0 (").err_has("wasm.Validate").err_lacks("publish");
    log("trace").err_has("wasm.Publish: publish baseline f0\n").err_has("module ready");
    upshift(&["run", "--log", "loud", math.path()]).exits(2).err_has("info, debug, trace");
    let failed = File::new("log-bad.wat", "(module (func i32.add))");
    upshift(&["run", "--log", "info", failed.path()]).exits(1).err_has("failed").err_has("error: ");
}

#[test]
fn perf_finds_the_names_of_functions() {
    let hot = File::new("perf.wat", HOT);
    let folder = std::env::temp_dir().join(format!("upshift-perf-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let run = |kind: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_upshift"));
        let args = ["run", "--perf", kind, "--sync-tier-up", "--tiering-budget", "1000", "--invoke", "count"];
        let child = command.args(args).args([hot.path(), "100000"]).current_dir(&folder).spawn().expect("it runs");
        let process = child.id();
        assert!(child.wait_with_output().expect("it ends").status.success());
        process
    };
    let map = std::path::Path::new("/tmp").join(format!("perf-{}.map", run("map")));
    let text = std::fs::read_to_string(&map).unwrap();
    std::fs::remove_file(&map).unwrap();
    for line in text.lines() {
        let mut parts = line.splitn(3, ' ');
        let number = |text: Option<&str>| u64::from_str_radix(text.unwrap(), 16).unwrap();
        assert!(number(parts.next()) > 0 && number(parts.next()) > 0 && parts.next().is_some(), "{line}");
    }
    for name in ["count [baseline]", "step [baseline]", "count [optimizing, loop at"] {
        assert!(text.contains(name), "{name} in {text}");
    }
    let dump = std::fs::read(folder.join(format!("jit-{}.dump", run("jitdump")))).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    // The magic number in this machine's order, and a name.
    assert_eq!(dump[..4], 0x4a69_5444_u32.to_ne_bytes());
    assert!(dump.windows(5).any(|bytes| bytes == b"count"));
}
