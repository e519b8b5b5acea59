//! Tables start with their initial value, and an empty one costs no memory before it is written.

use sys::process::resident_bytes;
use wasm::types::{RefType, TableType};

use super::*;

fn ty(element: RefType, min: u64, max: Option<u64>) -> TableType {
    TableType { element, index64: false, min, max }
}

#[test]
fn initial_values_and_growth() {
    for element in [RefType::FUNCREF, RefType::EXTERNREF] {
        for init in [0, 7] {
            let mut table = Table::new(ty(element, 3, Some(10)), init).unwrap();
            assert_eq!((table.get(2), table.get(3)), (Some(init), None));
            assert_eq!(table.grow(2, 9), Some(3));
            assert_eq!((table.get(2), table.get(4)), (Some(init), Some(9)));
            assert_eq!((table.grow(6, 0), table.grow(u64::MAX, 0)), (None, None));
            let mut empty = Table::new(ty(element, 0, None), init).unwrap();
            assert_eq!((empty.len(), empty.grow(4, init), empty.get(3)), (0, Some(0), Some(init)));
        }
    }
    assert!(Table::new(ty(RefType::FUNCREF, MAX_ELEMENTS + 1, None), 0).is_err());
}

#[test]
fn large_empty_tables_take_no_memory() {
    let before = resident_bytes().unwrap();
    let tables: Vec<Table> =
        (0..20).map(|_| Table::new(ty(RefType::FUNCREF, MAX_ELEMENTS, None), 0).unwrap()).collect();
    let taken = resident_bytes().unwrap().saturating_sub(before);
    assert!(taken < 64 << 20, "{} tables of 80 MB take {taken} bytes", tables.len());
}
