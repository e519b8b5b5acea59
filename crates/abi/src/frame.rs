//! The frame image: how a baseline frame keeps its locals and operands in memory, and how an OSR entry finds them.
//!
//! Values lie below one another in their order: the locals (parameters first), then the operands, deepest first. Each takes
//! [`slot_size`] bytes, and value `i` starts `depth(i)` bytes below the image's upper end, where `depth(i)` is the sum of the
//! sizes up to and including its own. So in a copy of `size` bytes it starts at byte `size - depth(i)`. A value narrower
//! than its slot lies at the slot's start, little endian.
//!
//! On-stack replacement: at a back-edge whose budget is spent, baseline code stores what it holds in registers to its image
//! and calls `loop_tier_up`, which copies the image to `StoreContext::osr_image` if optimized code is ready that starts in
//! that loop. The frame is then taken down and the OSR entry jumped to: it has the function's signature, of whose arguments
//! only the context and the result buffer are set, and reads everything else from the image, in its first instructions.

use wasm::types::ValType;

/// Bytes of one value in a frame image.
pub fn slot_size(ty: ValType) -> u32 {
    if ty == ValType::V128 { 16 } else { 8 }
}

/// For each value: its depth, the distance of its start from the image's upper end. The last depth is the image's size.
pub fn depths(types: impl IntoIterator<Item = ValType>) -> impl Iterator<Item = u32> {
    types.into_iter().scan(0u32, |depth, ty| {
        *depth = depth.checked_add(slot_size(ty))?;
        Some(*depth)
    })
}
