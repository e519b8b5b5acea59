//! Tests of `values`, and of the items that hold them.

use super::{ExternRef, Ref, Rooted, V128, Val};
use crate::{
    Engine, Func, FuncType, Global, GlobalType, HeapType, Instance, Module, Mutability, RefType, Store, Table,
    TableType, ValType,
};

fn store() -> Store<()> {
    Store::new(&Engine::default(), ())
}

#[test]
fn any_value_passes_through_wasm() {
    let mut store = store();
    let text = r#"(module (func (export "f")
        (param i32 i64 f32 f64 v128 funcref externref) (result externref funcref v128 f64 f32 i64 i32)
        local.get 6 local.get 5 local.get 4 local.get 3 local.get 2 local.get 1 local.get 0))"#;
    let module = Module::new(store.engine(), text).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let f = instance.get_func(&mut store, "f").unwrap();
    let value = ExternRef::new(&mut store, 17u8).unwrap();
    let signalling = 0x7fa0_0001;
    let params = [
        Val::I32(-1),
        Val::I64(i64::MIN),
        Val::F32(signalling),
        Val::from(-0.0f64),
        Val::from(u128::MAX - 1),
        Val::from(f),
        Val::from(value),
    ];
    let mut results = [Val::I32(0); 7];
    f.call(&mut store, &params, &mut results).unwrap();
    results.reverse();
    assert_eq!(results[0].unwrap_i32(), -1);
    assert_eq!(results[1].unwrap_i64(), i64::MIN);
    assert!(matches!(results[2], Val::F32(bits) if bits == signalling));
    assert_eq!(results[3].unwrap_f64().to_bits(), 1 << 63);
    assert_eq!(results[4].unwrap_v128(), V128::from(u128::MAX - 1));
    assert_eq!(results[5].unwrap_funcref(), Some(&f));
    let back = results[6].unwrap_externref().unwrap();
    assert!(Rooted::ref_eq(&store, back, &value).unwrap());
    *back.data_mut(&mut store).unwrap().unwrap().downcast_mut::<u8>().unwrap() += 1;
    assert_eq!(value.data(&store).unwrap().unwrap().downcast_ref(), Some(&18u8));
    assert!(f.call(&mut store, &params[1..], &mut results).is_err());
    let mut wrong = params;
    wrong[0] = Val::I64(0);
    let error = f.call(&mut store, &wrong, &mut results).unwrap_err();
    assert_eq!(error.to_string(), "type mismatch: expected a value of type i32, given i64");
}

#[test]
fn types_of_values() {
    let mut store = store();
    let func = Func::wrap(&mut store, |_: i32| {});
    let ty = Val::from(func).ty(&store).unwrap();
    assert_eq!(ty.to_string(), "(ref (func (i32) -> ()))");
    assert!(ty.matches(&ValType::FUNCREF));
    assert!(Val::null_func_ref().matches_ty(&store, &ValType::FUNCREF).unwrap());
    assert!(!Val::null_func_ref().matches_ty(&store, &ValType::EXTERNREF).unwrap());
    let value = ExternRef::new(&mut store, ()).unwrap();
    assert!(Val::from(value).matches_ty(&store, &ValType::EXTERNREF).unwrap());
    assert!(Val::from(value).ty(Store::<()>::default()).is_err());
    assert!(Val::default_for_ty(&ValType::Ref(RefType::new(false, HeapType::Func))).is_none());
    assert!(Val::default_for_ty(&ValType::NULLEXTERNREF).unwrap().unwrap_externref().is_none());
}

#[test]
fn typed_references_are_checked() {
    let mut store = store();
    let (a, b) = (Func::wrap(&mut store, |_: i32| {}), Func::wrap(&mut store, |_: i64| {}));
    let ty = FuncType::new(store.engine(), [ValType::I32], []);
    let ty = RefType::new(true, ty.into());
    let table = Table::new(&mut store, TableType::new(ty.clone(), 2, None), a.into()).unwrap();
    assert!(table.set(&mut store, 0, b.into()).is_err());
    assert!(table.set(&mut store, 0, Ref::Extern(None)).is_err());
    table.set(&mut store, 0, Ref::Func(None)).unwrap();
    assert!(table.get(&mut store, 0).unwrap().is_null());
    assert_eq!(table.get(&mut store, 1).unwrap().unwrap_func(), Some(&a));
    assert!(table.set(&mut store, 2, a.into()).unwrap_err().is::<crate::Trap>());
    assert_eq!(*table.ty(&store).element(), ty);
    let never_null = GlobalType::new(ValType::Ref(RefType::new(false, HeapType::Func)), Mutability::Var);
    assert!(Global::new(&mut store, never_null.clone(), Val::FuncRef(None)).is_err());
    let global = Global::new(&mut store, never_null, a.into()).unwrap();
    assert!(global.set(&mut store, Val::FuncRef(None)).is_err());
    assert_eq!(global.get(&mut store).unwrap_funcref(), Some(&a));
}

#[test]
fn tables_copy_and_fill() {
    let mut store = store();
    let func = Func::wrap(&mut store, || {});
    let ty = TableType::new(RefType::FUNCREF, 4, Some(5));
    let a = Table::new(&mut store, ty.clone(), Ref::Func(None)).unwrap();
    let b = Table::new(&mut store, ty, Ref::Func(None)).unwrap();
    a.fill(&mut store, 1, func.into(), 2).unwrap();
    assert!(a.fill(&mut store, 3, func.into(), 2).is_err());
    Table::copy(&mut store, &b, 0, &a, 1, 3).unwrap();
    let nulls: Vec<bool> = (0..4).map(|at| b.get(&mut store, at).unwrap().is_null()).collect();
    assert_eq!(nulls, [false, false, true, true]);
    assert!(Table::copy(&mut store, &b, 2, &a, 0, 3).is_err());
    let externs = Table::new(&mut store, TableType::new(RefType::EXTERNREF, 4, None), Ref::Extern(None)).unwrap();
    assert!(Table::copy(&mut store, &externs, 0, &a, 0, 1).is_err());
    assert_eq!(b.grow(&mut store, 1, func.into()).unwrap(), 4);
    assert!(b.grow(&mut store, 1, func.into()).is_err());
}

#[test]
#[should_panic(expected = "wrong store")]
fn functions_of_another_store_panic() {
    let func = Func::wrap(Store::<()>::default(), || {});
    let _ = Table::new(store(), TableType::new(RefType::FUNCREF, 1, None), func.into());
}

#[test]
fn immutable_globals_stay() {
    let mut store = store();
    let global = Global::new(&mut store, GlobalType::new(ValType::F32, Mutability::Const), 1f32.into()).unwrap();
    assert!(global.set(&mut store, 2f32.into()).is_err());
    assert_eq!(global.get(&mut store).unwrap_f32(), 1.0);
    assert_eq!(global.ty(&store).to_string(), "(global f32)");
}

#[test]
fn references_without_null_pass_typed() {
    let mut store = store();
    let text = r#"(module
        (import "" "same" (func $same (param (ref func) (ref extern)) (result (ref func))))
        (func (export "f") (param (ref func) (ref extern)) (result (ref extern) (ref func))
            (local.get 1) (call $same (local.get 0) (local.get 1)))
        (func (export "null") (result funcref) (ref.null func)))"#;
    let module = Module::new(store.engine(), text).unwrap();
    let same = Func::wrap(&mut store, |func: Func, _: Rooted<ExternRef>| func);
    let instance = Instance::new(&mut store, &module, &[same.into()]).unwrap();
    let f = instance.get_func(&mut store, "f").unwrap();
    let typed = f.typed::<(Func, Rooted<ExternRef>), (Rooted<ExternRef>, Func)>(&store).unwrap();
    let value = ExternRef::new(&mut store, 3u8).unwrap();
    let (back, func) = typed.call(&mut store, (f, value)).unwrap();
    assert!(Rooted::ref_eq(&store, &back, &value).unwrap() && func == f);
    // What may be null is of another type, and null is none of these.
    assert!(instance.get_typed_func::<(), Func>(&mut store, "null").is_err());
    let nullable = Func::wrap(&mut store, |func: Option<Func>, _: Option<Rooted<ExternRef>>| func);
    assert!(Instance::new(&mut store, &module, &[nullable.into()]).is_err());
    let mut results = [Val::I32(0); 2];
    assert!(f.call(&mut store, &[Val::null_func_ref(), Val::from(value)], &mut results).is_err());
    let ty = same.ty(&store);
    let empty = Func::new(&mut store, ty, |_, _, _| Ok(()));
    assert!(empty.typed::<(Func, Rooted<ExternRef>), Func>(&store).unwrap().call(&mut store, (f, value)).is_err());
}

#[test]
fn functions_match_types() {
    let mut store = store();
    let func = Func::wrap(&mut store, |_: i32| {});
    let engine = store.engine().clone();
    assert!(func.matches_ty(&store, &FuncType::new(&engine, [ValType::I32], [])));
    assert!(!func.matches_ty(&store, &FuncType::new(&engine, [ValType::I64], [])));
}
