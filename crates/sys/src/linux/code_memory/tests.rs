//! Tests of code memory: code written through one view runs through the other, and its memory comes back.

use super::{CodeMemory, Strategy, TRAP_BYTE, synchronize_cores};
use crate::pages::page_size;

const BOTH: [Strategy; 2] = [Strategy::DualMapped, Strategy::Duplicated];

/// `mov eax, value; ret`.
fn return_constant(value: u32) -> [u8; 6] {
    let [a, b, c, d] = value.to_le_bytes();
    [0xB8, a, b, c, d, 0xC3]
}

/// Writes code that nobody else has the address of.
fn write(memory: &CodeMemory, offset: usize, bytes: &[u8]) {
    // SAFETY: the memory is local to the test.
    unsafe { memory.write(offset, bytes) }.unwrap();
}

/// Calls what `return_constant` wrote.
fn call(memory: &CodeMemory, offset: usize) -> u32 {
    // SAFETY: the test wrote a function of this type there.
    let function =
        unsafe { std::mem::transmute::<*const u8, extern "C" fn() -> u32>(memory.executable_base().add(offset)) };
    function()
}

/// Reads a byte through the executable view.
fn read(memory: &CodeMemory, offset: usize) -> u8 {
    assert!(offset < memory.len());
    // SAFETY: inside the executable view, which is readable.
    unsafe { memory.executable_base().add(offset).read_volatile() }
}

#[test]
fn the_best_strategy_is_the_first() {
    assert_eq!(CodeMemory::new(1).unwrap().strategy(), Strategy::DualMapped);
    assert_eq!(CodeMemory::preferring(1, Strategy::Duplicated).unwrap().strategy(), Strategy::Duplicated);
}

#[test]
fn code_runs_where_it_was_written() {
    for strategy in BOTH {
        let memory = CodeMemory::with_strategy(1 << 30, strategy).unwrap();
        assert_eq!((memory.len(), memory.strategy()), (1 << 30, strategy));
        let offsets = [0, 6, 4093, 1 << 20, (1 << 30) - 6];
        for (value, offset) in (40..).zip(offsets) {
            write(&memory, offset, &return_constant(value));
        }
        for (value, offset) in (40..).zip(offsets) {
            assert_eq!(call(&memory, offset), value);
        }
        write(&memory, 0, &return_constant(99));
        synchronize_cores().unwrap();
        assert_eq!(call(&memory, 0), 99);
    }
}

#[test]
fn freed_pages_go_back_to_the_system_and_can_be_used_again() {
    let page = page_size();
    for strategy in BOTH {
        let memory = CodeMemory::with_strategy(1 << 20, strategy).unwrap();
        assert_eq!(memory.resident_bytes().unwrap(), 0);
        for index in 0..16 {
            write(&memory, index * page, &return_constant(1));
        }
        assert_eq!(memory.resident_bytes().unwrap(), 16 * page as u64);
        // SAFETY: the memory is local to the test.
        unsafe { memory.free_pages(4 * page, 8 * page) }.unwrap();
        assert_eq!(memory.resident_bytes().unwrap(), 8 * page as u64);
        assert_eq!(call(&memory, 3 * page), 1);
        assert_eq!(call(&memory, 12 * page), 1);
        assert_eq!(read(&memory, 4 * page), 0);
        write(&memory, 4 * page, &return_constant(2));
        synchronize_cores().unwrap();
        assert_eq!(call(&memory, 4 * page), 2);
    }
}

#[test]
fn committed_pages_are_there_before_they_are_written() {
    let page = page_size();
    for strategy in BOTH {
        let memory = CodeMemory::with_strategy(1 << 20, strategy).unwrap();
        write(&memory, 0, &return_constant(3));
        memory.commit(0, 4 * page).unwrap();
        assert_eq!(memory.resident_bytes().unwrap(), 4 * page as u64);
        assert_eq!(call(&memory, 0), 3);
    }
}

#[test]
fn traps_and_cells_are_written() {
    for strategy in BOTH {
        let memory = CodeMemory::with_strategy(1 << 16, strategy).unwrap();
        // SAFETY: the memory is local to the test.
        unsafe {
            memory.fill_with_traps(10, 100).unwrap();
            memory.store_cell(16, 0x0102_0304_0506_0708).unwrap();
            assert!(memory.store_cell(12, 0).is_err());
            assert!(memory.store_cell(memory.len(), 0).is_err());
        }
        let bytes = [9, 10, 15, 16, 23, 24, 109, 110].map(|offset| read(&memory, offset));
        let trap = TRAP_BYTE;
        assert_eq!(bytes, [0, trap, trap, 8, 1, trap, trap, 0]);
    }
}

#[test]
fn ranges_outside_are_refused() {
    let memory = CodeMemory::new(page_size()).unwrap();
    // SAFETY: refused before anything is written.
    unsafe {
        assert!(memory.write(memory.len() - 1, &[1, 2]).is_err());
        assert!(memory.write(usize::MAX, &[1, 2]).is_err());
        assert!(memory.fill_with_traps(1, usize::MAX).is_err());
        assert!(memory.free_pages(0, 2 * page_size()).is_err());
        assert!(memory.free_pages(1, page_size() - 1).is_err());
    }
    assert!(memory.commit(0, 1).is_err());
    assert!(CodeMemory::new(usize::MAX).is_err());
}

#[test]
fn offsets_of_addresses() {
    let memory = CodeMemory::new(page_size()).unwrap();
    let base = memory.executable_base() as usize;
    assert_eq!(memory.offset_of(base + 5), Some(5));
    assert_eq!(memory.offset_of(base + memory.len()), None);
    assert_eq!(memory.offset_of(base - 1), None);
}

#[test]
fn no_view_is_writable_and_executable() {
    for strategy in BOTH {
        let memory = CodeMemory::with_strategy(1 << 20, strategy).unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let rights = |address: usize| {
            let line = maps.lines().find(|line| line.starts_with(&format!("{address:x}-")));
            line.and_then(|line| line.split(' ').nth(1)).unwrap()
        };
        assert_eq!(rights(memory.executable_base() as usize), "r-xs");
        assert_eq!(rights(memory.writable.at(0) as usize), "rw-s");
    }
}

#[test]
fn writing_while_other_code_of_the_page_runs() {
    let memory = CodeMemory::new(1 << 16).unwrap();
    write(&memory, 0, &return_constant(7));
    std::thread::scope(|scope| {
        let runner = scope.spawn(|| (0..100_000).all(|_| call(&memory, 0) == 7));
        for round in 1..1000 {
            write(&memory, 16 * (round % 200) + 16, &return_constant(8));
        }
        assert!(runner.join().unwrap());
    });
}
