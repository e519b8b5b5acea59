//! Tests of lazy stub bytes. Running one is tested with the trampolines.

use super::lazy_stub_bytes;

#[test]
fn bytes_of_a_stub() {
    let bytes = lazy_stub_bytes(0x1234_5678, 0x1000, 0x2000).unwrap();
    let expected = [0x41, 0xBB, 0x78, 0x56, 0x34, 0x12, 0xFF, 0x25, 0xF4, 0x0F, 0, 0, 0xCC, 0xCC, 0xCC, 0xCC];
    assert_eq!(bytes, expected);
    let back = lazy_stub_bytes(0, 0x2000, 0x1000).unwrap();
    assert_eq!(back[8..12], (-0x100C_i32).to_le_bytes());
}

#[test]
fn a_cell_out_of_reach_is_refused() {
    let stub = 1_usize << 40;
    let farthest = stub + 12 + i32::MAX as usize;
    assert!(lazy_stub_bytes(0, stub, farthest).is_some());
    assert!(lazy_stub_bytes(0, stub, farthest + 1).is_none());
    assert!(lazy_stub_bytes(0, stub, stub + 12 - (1 << 31)).is_some());
    assert!(lazy_stub_bytes(0, stub, stub + 11 - (1 << 31)).is_none());
    assert!(lazy_stub_bytes(0, usize::MAX, 0).is_none());
}
