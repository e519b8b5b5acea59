//! The bytes of a lazy stub: what a code-table slot points to before its function is compiled.

#[cfg(test)]
mod tests;

/// Bytes of one lazy stub.
pub const LAZY_STUB_LEN: usize = 16;

/// The lazy stub of function `index`, to be placed at `stub_address`:
/// `mov r11d, index; jmp [rip + pointer_cell_address]; int3...`. The cell holds the address of a trampoline made by
/// [`lazy_trampoline!`](crate::lazy_trampoline). `None` when the cell is 2 GiB or more away.
pub fn lazy_stub_bytes(index: u32, stub_address: usize, pointer_cell_address: usize) -> Option<[u8; LAZY_STUB_LEN]> {
    const JUMP: usize = 6;
    const END: usize = 12;
    let next = stub_address.checked_add(END)?;
    let distance = (pointer_cell_address as i64).checked_sub(next as i64)?;
    let distance = i32::try_from(distance).ok()?;
    let mut bytes = [crate::code_memory::TRAP_BYTE; LAZY_STUB_LEN];
    bytes[..2].copy_from_slice(&[0x41, 0xBB]); // mov r11d, imm32
    bytes[2..JUMP].copy_from_slice(&index.to_le_bytes());
    bytes[JUMP..JUMP + 2].copy_from_slice(&[0xFF, 0x25]); // jmp [rip + disp32]
    bytes[JUMP + 2..END].copy_from_slice(&distance.to_le_bytes());
    Some(bytes)
}
