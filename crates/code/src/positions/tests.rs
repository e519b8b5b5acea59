//! Compression loses nothing.

use super::*;

#[test]
fn round_trip_and_lookup() {
    let table: Vec<SourcePosition> = (0..1000u32)
        .map(|i| SourcePosition {
            code_offset: i * 7,
            wasm_offset: if i % 50 == 0 { SourcePosition::NONE } else { 1_000_000 - (i * 37) % 4096 },
        })
        .collect();
    let positions = Positions::new(&table);
    assert!(positions.iter().eq(table.iter().copied()));
    assert_eq!(positions.find(0), None);
    assert_eq!(positions.find(7 * 3 + 6), Some(table[3].wasm_offset));
    assert_eq!(positions.find(u32::MAX), Some(table[999].wasm_offset));
    assert_eq!(Positions::default().find(3), None);
}
