//! smoke
use upshift::*;
fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, r#"(module
      (import "h" "f" (func $f (param i32) (result i32)))
      (memory (export "m") 1)
      (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
         (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
      (func (export "host") (param i32) (result i32) (call $f (local.get 0)))
      (func (export "oob") (param i32) (result i32) (i32.load (local.get 0)))
      (func $rec (export "rec") (call $rec))
      (func (export "grow") (result i32) (memory.grow (i32.const 3)))
      (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
    )"#)?;
    let mut linker: Linker<u32> = Linker::new(&engine);
    linker.func_wrap("h", "f", |mut c: Caller<'_, u32>, x: i32| -> Result<i32> { *c.data_mut() += 1; if x < 0 { return Err(Error::msg("negative")); } Ok(x + 1) })?;
    let mut store = Store::new(&engine, 0);
    let i = linker.instantiate(&mut store, &module)?;
    let fib = i.get_typed_func::<i32, i32>(&mut store, "fib")?;
    println!("fib {}", fib.call(&mut store, 30)?);
    let host = i.get_typed_func::<i32, i32>(&mut store, "host")?;
    println!("host {}", host.call(&mut store, 30)?);
    println!("err {:?}", host.call(&mut store, -1));
    let oob = i.get_typed_func::<i32, i32>(&mut store, "oob")?;
    println!("oob {:?}", oob.call(&mut store, -1));
    println!("oob {:?}", oob.call(&mut store, 0));
    let rec = i.get_typed_func::<(), ()>(&mut store, "rec")?;
    println!("rec {}", rec.call(&mut store, ()).unwrap_err().root_cause());
    let g = i.get_typed_func::<(), i32>(&mut store, "grow")?;
    println!("grow {:?}", g.call(&mut store, ()));
    let d = i.get_typed_func::<(i32,i32), i32>(&mut store, "div")?;
    println!("div {:?} {:?}", d.call(&mut store, (1,0)).unwrap_err().to_string(), d.call(&mut store, (i32::MIN,-1)).unwrap_err().root_cause().to_string());
    Ok(())
}
