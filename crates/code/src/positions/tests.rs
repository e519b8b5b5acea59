//! Compression loses nothing.

use super::*;

#[test]
fn short_tables_take_no_allocation() {
    let none = SourcePosition { code_offset: 0, wasm_offset: SourcePosition::NONE };
    for count in 0..20_u32 {
        let steps = (1..=count).map(|i| SourcePosition { code_offset: i * 3, wasm_offset: 900_000 + i });
        let table: Vec<SourcePosition> = std::iter::once(none).chain(steps).collect();
        let positions = Positions::new(&table);
        assert!(positions.iter().eq(table.iter().copied()));
        // Two bytes for an entry, but two more for the first real place.
        let bytes = 2 + count as usize * 2 + if count == 0 { 0 } else { 2 };
        assert_eq!(positions.bytes.get().len(), bytes);
        assert_eq!(positions.heap_bytes() == 0, bytes <= SHORT, "{count}");
    }
    assert_eq!(size_of::<Positions>(), 24);
}

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
