//! The life of stubs: shared, retired with the last handle, found again, freed.

use abi::compiled::CompiledCode;

use super::*;
use crate::code::CodeKind;
use crate::space::CodeSpace;

const LEN: usize = 40;

fn new_code(space: &Arc<CodeSpace>) -> Arc<Code> {
    let compiled = CompiledCode { bytes: vec![0xc3; LEN], alignment: 16, ..CompiledCode::default() };
    space.add(compiled, CodeKind::EntryStub).unwrap()
}

fn signature(params: usize) -> Signature {
    Signature::of(&FuncType::new(vec![ValType::I32; params], []))
}

fn setup() -> (Arc<CodeSpace>, Arc<StubCache>) {
    (CodeSpace::new(16 << 20).unwrap(), Arc::default())
}

fn free(cache: &StubCache) -> usize {
    cache.take_retired(cache.now(), &HashSet::new()).len()
}

#[test]
fn types_that_the_machine_cannot_tell_apart_share_a_stub() {
    let of = |ty: ValType| Signature::of(&FuncType::new([ty], [ValType::I64]));
    assert_eq!(of(ValType::I64), of(ValType::FUNCREF));
    assert_eq!(of(ValType::I32), of(ValType::EXTERNREF));
    assert_ne!(of(ValType::I32), of(ValType::I64));
    let (params, results) = (FuncType::new([ValType::I32], []), FuncType::new([], [ValType::I32]));
    assert_ne!(Signature::of(&params), Signature::of(&results));
}

#[test]
fn a_stub_is_there_as_long_as_somebody_holds_it() {
    let (space, cache) = setup();
    assert!(cache.get(&signature(1)).is_none());
    let stub = cache.add(signature(1), new_code(&space));
    let same = cache.get(&signature(1)).unwrap();
    assert!(Arc::ptr_eq(&stub, &same));
    // A second one for the same signature is dropped.
    assert!(Arc::ptr_eq(&stub, &cache.add(signature(1), new_code(&space))));
    drop(stub);
    assert_eq!((cache.retired_bytes(), free(&cache)), (0, 0));
    drop(same);
    assert_eq!((cache.retired_bytes(), space.retired_bytes()), (LEN, LEN));
    assert_eq!(cache.statistics(), StubStatistics { count: 1, retired: 1, code_bytes: LEN });
    assert_eq!((free(&cache), cache.retired_bytes(), space.retired_bytes(), space.code_bytes()), (1, 0, 0, 0));
    assert!(cache.get(&signature(1)).is_none());
}

#[test]
fn what_is_asked_for_again_is_no_candidate() {
    let (space, cache) = setup();
    let entry = cache.add(signature(2), new_code(&space)).entry();
    let mark = cache.now();
    let again = cache.get(&signature(2)).unwrap();
    assert_eq!((again.entry(), cache.retired_bytes(), space.retired_bytes()), (entry, 0, 0));
    assert!(cache.take_retired(mark, &HashSet::new()).is_empty());
    // Retired once more, but after the mark: a stack that was asked before knows nothing of it.
    drop(again);
    assert!(cache.take_retired(mark, &HashSet::new()).is_empty());
    assert_eq!(free(&cache), 1);
}

#[test]
fn what_a_stack_holds_stays() {
    let (space, cache) = setup();
    let code = new_code(&space);
    let live = HashSet::from([address(&code)]);
    drop(cache.add(signature(0), code));
    assert!(cache.take_retired(cache.now(), &live).is_empty());
    assert_eq!(cache.retired_bytes(), LEN);
}

#[test]
fn handles_outlive_the_cache_and_the_cache_its_handles() {
    let (space, cache) = setup();
    let (kept, dropped) = (cache.add(signature(0), new_code(&space)), cache.add(signature(1), new_code(&space)));
    drop(dropped);
    drop(cache);
    assert_eq!(space.retired_bytes(), 0);
    // SAFETY: the stub is held.
    assert!(unsafe { space.lookup(kept.entry().addr()) }.is_some());
    drop(kept);
    assert_eq!((space.code_bytes(), space.retired_bytes()), (0, 0));
}

#[test]
fn threads_that_take_and_drop_the_same_stubs_agree() {
    let (space, cache) = setup();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (space, cache) = (&space, &cache);
            scope.spawn(move || {
                for round in 0..2000 {
                    let signature = signature((round + thread) % 3);
                    let get = |signature: &Signature| cache.get(signature);
                    let stub = get(&signature).unwrap_or_else(|| cache.add(signature, new_code(space)));
                    // SAFETY: the stub is held.
                    assert!(unsafe { space.lookup(stub.entry().addr()) }.is_some());
                }
            });
        }
        scope.spawn(|| (0..500).for_each(|_| drop(cache.take_retired(cache.now(), &HashSet::new()))));
    });
    free(&cache);
    assert_eq!((space.code_bytes(), space.retired_bytes(), cache.statistics().count), (0, 0, 0));
}
