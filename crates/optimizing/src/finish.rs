//! From Cranelift's result to [`CompiledCode`].

use abi::compiled::{CompiledCode, SourcePosition, TrapSite};
use cranelift_codegen::{CompiledCode as Emitted, FinalizedMachReloc};

use crate::traps::trap_reason;

/// Alignment of every function's first byte.
const FUNCTION_ALIGNMENT: u32 = 16;

/// Bytes of a frame above the frame pointer's target: the saved frame pointer and the return address.
const FRAME_RECORD: u32 = 16;

/// Takes the code and its tables out of Cranelift's result.
///
/// # Errors
/// If the code needs linking, which code of ours never does.
pub(crate) fn finish(emitted: &Emitted) -> Result<CompiledCode, String> {
    let buffer = &emitted.buffer;
    if let Some(FinalizedMachReloc { kind, target, .. }) = buffer.relocs().first() {
        return Err(format!("the code needs a relocation: {kind:?} to {target:?}"));
    }
    Ok(CompiledCode {
        bytes: emitted.code_buffer().to_vec(),
        alignment: buffer.alignment.max(FUNCTION_ALIGNMENT),
        traps: traps(emitted)?,
        positions: positions(emitted),
        frame_size: buffer.frame_layout().map_or(0, |layout| layout.frame_to_fp_offset) + FRAME_RECORD,
    })
}

fn traps(emitted: &Emitted) -> Result<Vec<TrapSite>, String> {
    let mut sites = Vec::with_capacity(emitted.buffer.traps().len());
    for trap in emitted.buffer.traps() {
        let reason = trap_reason(trap.code).ok_or_else(|| format!("unknown trap code {}", trap.code))?;
        sites.push(TrapSite { offset: trap.offset, reason });
    }
    sites.sort_by_key(|site| site.offset);
    Ok(sites)
}

fn positions(emitted: &Emitted) -> Vec<SourcePosition> {
    let ranges = emitted.buffer.get_srclocs_sorted();
    let mut positions: Vec<SourcePosition> = Vec::with_capacity(ranges.len() + 2);
    let mut covered = 0;
    let mut start = |code_offset, wasm_offset| {
        if positions.last().is_none_or(|last| last.wasm_offset != wasm_offset) {
            positions.push(SourcePosition { code_offset, wasm_offset });
        }
    };
    for range in ranges {
        if range.start > covered {
            start(covered, SourcePosition::NONE);
        }
        // The default location is all ones, as NONE is.
        start(range.start, range.loc.bits());
        covered = range.end;
    }
    if covered < emitted.buffer.total_size() {
        start(covered, SourcePosition::NONE);
    }
    positions
}
