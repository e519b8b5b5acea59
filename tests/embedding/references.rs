//! Instances of modules with so many functions in their tables that they share the references to them.

use std::fmt::Write;

use upshift::{Config, Engine, Extern, Func, Instance, Module, Ref, Store, TierChoice, Val};

/// Functions of the module's own in the table, behind the two imported ones.
const OWN: i32 = 1500;

/// Each function of its own adds its number to the instance's global; the imported ones lie in front of them in the table.
fn program() -> String {
    let mut text = String::from(
        r#"(module
        (type $f (func (result i32)))
        (import "m" "wasm" (func $wasm (type $f)))
        (import "m" "host" (func $host (type $f)))
        (global $base (export "base") (mut i32) (i32.const 0))
        (table (export "table") 1502 funcref)
        (elem (i32.const 0) func $wasm $host)
        (func (export "call") (param i32) (result i32) (call_indirect (type $f) (local.get 0)))
        (func (export "tail") (param i32) (result i32) (return_call_indirect (type $f) (local.get 0)))
        (func (export "again") (param i32) (result i32)
            (table.set (i32.const 7) (table.get (local.get 0)))
            (call_indirect (type $f) (i32.const 7)))
        "#,
    );
    for number in 0..OWN {
        let _ = writeln!(text, "(func $f{number} (type $f) (i32.add (global.get $base) (i32.const {number})))");
    }
    text += "(elem (i32.const 2) func";
    (0..OWN).for_each(|number| {
        let _ = write!(text, " $f{number}");
    });
    text + "))"
}

struct Program {
    instance: Instance,
    base: i32,
}

impl Program {
    fn new(store: &mut Store<i32>, module: &Module, base: i32, wasm: Func) -> Program {
        let host = Func::wrap(&mut *store, move || -2 - base);
        let instance = Instance::new(&mut *store, module, &[wasm.into(), host.into()]).unwrap();
        instance.get_global(&mut *store, "base").unwrap().set(&mut *store, Val::I32(base)).unwrap();
        Program { instance, base }
    }

    fn expected(&self, index: i32, wasm: i32) -> i32 {
        match index {
            0 => wasm,
            1 => -2 - self.base,
            _ => self.base + index - 2,
        }
    }

    fn check(&self, store: &mut Store<i32>, wasm: i32) {
        let table = self.instance.get_table(&mut *store, "table").unwrap();
        for index in [0, 1, 2, 3, 800, OWN, OWN + 1] {
            for export in ["call", "tail", "again"] {
                let call = self.instance.get_typed_func::<i32, i32>(&mut *store, export).unwrap();
                assert_eq!(call.call(&mut *store, index).unwrap(), self.expected(index, wasm), "{export} {index}");
            }
            let Some(Ref::Func(Some(function))) = table.get(&mut *store, index as u64) else { panic!("{index}") };
            let function = function.typed::<(), i32>(&*store).unwrap();
            assert_eq!(function.call(&mut *store, ()).unwrap(), self.expected(index, wasm), "{index}");
        }
    }
}

#[test]
fn many_references_lead_to_the_instance_they_are_of() {
    let program = program();
    for tier in TierChoice::ALL {
        let engine = Engine::new(Config::new().tier(*tier)).unwrap();
        let module = Module::new(&engine, &program).unwrap();
        for _ in 0..2 {
            let mut store = Store::new(&engine, 0);
            let wasm = Func::wrap(&mut store, || 77);
            let first = Program::new(&mut store, &module, 10_000, wasm);
            // The second instance imports a function of the first, through its table.
            let table = first.instance.get_table(&mut store, "table").unwrap();
            let Some(Ref::Func(Some(function))) = table.get(&mut store, 5) else { panic!("no function") };
            let others: Vec<Program> =
                (2..5).map(|number| Program::new(&mut store, &module, number * 10_000, function)).collect();
            first.check(&mut store, 77);
            others.iter().for_each(|other| other.check(&mut store, 10_003));
            // All stay as they were, whatever the others did.
            first.check(&mut store, 77);
        }
    }
}

#[test]
fn an_instance_of_many_references_leaves_the_others_theirs() {
    let engine = Engine::default();
    let module = Module::new(&engine, program()).unwrap();
    let mut kept = Store::new(&engine, 0);
    let wasm = Func::wrap(&mut kept, || 1);
    let programs: Vec<Program> = (0..3).map(|number| Program::new(&mut kept, &module, number, wasm)).collect();
    for number in 0..20 {
        let mut store = Store::new(&engine, 0);
        let wasm = Func::wrap(&mut store, || 2);
        Program::new(&mut store, &module, 100 + number, wasm).check(&mut store, 2);
    }
    programs.iter().for_each(|program| program.check(&mut kept, 1));
    // What is exported is an instance's own as well.
    let exports: Vec<Extern> = programs[1].instance.exports(&mut kept).map(|export| export.into_extern()).collect();
    assert!(exports.len() > 3);
}
