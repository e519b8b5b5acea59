//! Code can be run, found by address, and freed.

use super::*;

fn returning(value: u32) -> CompiledCode {
    let mut bytes = vec![0xb8];
    bytes.extend(value.to_le_bytes());
    bytes.push(0xc3);
    CompiledCode { bytes, alignment: 16, ..CompiledCode::default() }
}

#[test]
fn code_runs_is_found_and_is_given_back() {
    let space = CodeSpace::new(64 << 20).unwrap();
    let codes: Vec<_> = (0..500).map(|value| space.add(returning(value), CodeKind::EntryStub).unwrap()).collect();
    for (value, code) in codes.iter().enumerate() {
        // SAFETY: the bytes are `mov eax, value; ret`.
        let function: extern "C" fn() -> u32 = unsafe { std::mem::transmute(code.entry()) };
        assert_eq!(function(), value as u32);
        for pc in [0, 3, code.len() - 1] {
            // SAFETY: `codes` keeps the code alive.
            let found = unsafe { space.lookup(code.entry() as usize + pc) }.unwrap();
            assert_eq!(found.as_ptr().cast_const(), Arc::as_ptr(code));
        }
        // SAFETY: as above.
        assert!(unsafe { space.lookup(code.entry() as usize + code.len()) }.is_none());
    }
    let address = codes[7].entry() as usize;
    drop(codes);
    assert_eq!(space.used(), 0);
    // SAFETY: a start bit that is cleared is never followed.
    assert!(unsafe { space.lookup(address) }.is_none());
}

#[test]
fn a_full_region_is_an_error_and_recovers() {
    let space = CodeSpace::new(64 << 10).unwrap();
    let mut codes = Vec::new();
    let error = loop {
        match space.add(returning(1), CodeKind::ExitStub) {
            Ok(code) => codes.push(code),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SpaceError::Full { .. }), "{error}");
    codes.pop();
    assert!(space.add(returning(2), CodeKind::ExitStub).is_ok());
}

#[test]
fn memory_comes_back_piece_by_piece() {
    let space = CodeSpace::new(16 << 20).unwrap();
    let large = || CompiledCode { bytes: vec![0xcc; 10_000], alignment: 16, ..CompiledCode::default() };
    let mut codes: Vec<_> = (0..400).map(|_| Some(space.add(large(), CodeKind::EntryStub).unwrap())).collect();
    let full = space.resident_bytes().unwrap();
    assert!(full >= 4_000_000);
    // Half of it, every other one, then the rest in an order of its own.
    codes.iter_mut().step_by(2).for_each(|code| drop(code.take()));
    let half = space.resident_bytes().unwrap();
    assert!(half < full * 8 / 10, "{half} of {full}");
    for step in 0..400 {
        codes[step * 37 % 400].take();
    }
    assert_eq!((space.resident_bytes().unwrap(), space.used()), (0, 0));
    let again = space.add(large(), CodeKind::EntryStub).unwrap();
    assert_eq!(again.bytes(), vec![0xcc; 10_000]);
}

#[test]
fn threads_take_and_give_back_at_once() {
    let space = CodeSpace::new(8 << 20).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let space = &space;
            scope.spawn(move || {
                let mut codes = Vec::new();
                for value in 0..2000 {
                    codes.push((
                        value * 4 + thread,
                        space.add(returning(value * 4 + thread), CodeKind::EntryStub).unwrap(),
                    ));
                    if value % 3 != 0 {
                        let (expected, code) = codes.swap_remove((value * 7) as usize % codes.len());
                        // SAFETY: the bytes are `mov eax, value; ret`.
                        let function: extern "C" fn() -> u32 = unsafe { std::mem::transmute(code.entry()) };
                        assert_eq!(function(), expected);
                    }
                }
            });
        }
    });
    assert_eq!((space.used(), space.code_bytes(), space.resident_bytes().unwrap()), (0, 0, 0));
}
