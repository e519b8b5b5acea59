//! From Cranelift's result to [`CompiledCode`].

use abi::compiled::{CompiledCode, SourcePosition, TrapSite};
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::ExternalName;
use cranelift_codegen::{CompiledCode as Emitted, FinalizedMachReloc, FinalizedRelocTarget};

use crate::traps::trap_reason;

/// Alignment of every function's first byte.
const FUNCTION_ALIGNMENT: u32 = 16;

/// Bytes of a frame above the frame pointer's target: the saved frame pointer and the return address.
const FRAME_RECORD: u32 = 16;

/// Takes the code and its tables out of Cranelift's result.
///
/// # Errors
/// If the code needs linking with anything but itself, which code of ours never does.
pub(crate) fn finish(emitted: &Emitted) -> Result<CompiledCode, String> {
    let buffer = &emitted.buffer;
    let mut bytes = emitted.code_buffer().to_vec();
    for relocation in buffer.relocs() {
        link_to_self(&mut bytes, relocation)?;
    }
    Ok(CompiledCode {
        bytes,
        alignment: buffer.alignment.max(FUNCTION_ALIGNMENT),
        traps: traps(emitted)?,
        positions: positions(emitted),
        frame_size: buffer.frame_layout().map_or(0, |layout| layout.frame_to_fp_offset) + FRAME_RECORD,
    })
}

/// Makes a call of the function by itself, the only one by name, reach the first byte.
fn link_to_self(bytes: &mut [u8], relocation: &FinalizedMachReloc) -> Result<(), String> {
    let FinalizedMachReloc { offset, kind, target, addend } = relocation;
    let start = *offset as usize;
    let field = bytes.get_mut(start..start + 4);
    match (kind, target, field) {
        (Reloc::X86CallPCRel4, FinalizedRelocTarget::ExternalName(ExternalName::User(_)), Some(field)) => {
            let distance = i32::try_from(addend - i64::from(*offset)).map_err(|error| error.to_string())?;
            field.copy_from_slice(&distance.to_le_bytes());
            Ok(())
        }
        _ => Err(format!("the code needs a relocation: {kind:?} to {target:?}")),
    }
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
