//! From Cranelift's result to [`CompiledCode`].

use abi::compiled::{CompiledCode, FrameStart, SourcePosition, TrapSite};
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::ExternalName;
use cranelift_codegen::{CompiledCode as Emitted, FinalizedMachReloc, FinalizedRelocTarget};

use crate::inline::Plan;
use crate::traps::trap_reason;

/// Alignment of every function's first byte.
const FUNCTION_ALIGNMENT: u32 = 16;

/// Bytes of a frame above the frame pointer's target: the saved frame pointer and the return address.
const FRAME_RECORD: u32 = 16;

/// Takes the code and its tables out of Cranelift's result.
///
/// # Errors
/// If the code needs linking with anything but itself, which code of ours never does.
pub(crate) fn finish(emitted: &Emitted, plan: Option<&Plan<'_>>) -> Result<CompiledCode, String> {
    let buffer = &emitted.buffer;
    let mut bytes = emitted.code_buffer().to_vec();
    for relocation in buffer.relocs() {
        link_to_self(&mut bytes, relocation)?;
    }
    let plan = plan.filter(|plan| plan.nodes.len() > 1);
    let (positions, frames) = match plan {
        None => (positions(emitted, |location| location), Vec::new()),
        Some(plan) => {
            let offset = |location| plan.locate(location).1.unwrap_or(SourcePosition::NONE);
            (positions(emitted, offset), frames(emitted, plan))
        }
    };
    Ok(CompiledCode {
        bytes,
        alignment: buffer.alignment.max(FUNCTION_ALIGNMENT),
        traps: traps(emitted)?,
        positions,
        inlined: plan.map_or_else(Vec::new, Plan::inlined),
        frames,
        frame_size: buffer.frame_layout().map_or(0, |layout| layout.frame_to_fp_offset) + FRAME_RECORD,
        ..CompiledCode::default()
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

/// The position table; `offset` makes offsets of locations.
fn positions(emitted: &Emitted, offset: impl Fn(u32) -> u32) -> Vec<SourcePosition> {
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
        start(range.start, if range.loc.is_default() { SourcePosition::NONE } else { offset(range.loc.bits()) });
        covered = range.end;
    }
    if covered < emitted.buffer.total_size() {
        start(covered, SourcePosition::NONE);
    }
    positions
}

/// Which code belongs to which frame. Code without a location goes with what is in front of it.
fn frames(emitted: &Emitted, plan: &Plan<'_>) -> Vec<FrameStart> {
    let mut frames: Vec<FrameStart> = Vec::new();
    for range in emitted.buffer.get_srclocs_sorted() {
        if range.loc.is_default() {
            continue;
        }
        let (frame, _) = plan.locate(range.loc.bits());
        if frames.last().map_or(0, |last| last.frame) != frame {
            frames.push(FrameStart { code_offset: range.start, frame });
        }
    }
    frames
}
