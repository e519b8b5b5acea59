//! The profile: budgets and counts of calls; see [`abi::feedback`].

use std::mem::offset_of;

use abi::feedback::{FunctionProfile, SiteKind, Target, counts_calls_of, loop_cost};
use abi::layout::InstanceHeader;
use wasm::types::DefinedFuncIndex;

use crate::asm::x64::{Alu, Assembler, Gpr, Label, Mem, Size, Width};
use crate::cold::Cold;
use crate::function::Function;
use crate::operand::SCRATCH;

/// The displacement of an instruction that names a place in the profile, until it is patched: one of four bytes.
const PLACEHOLDER: i32 = 1 << 30;

/// A place in the profile to which `pointer` leads, for the next instruction of which [`patch`] is told.
pub(crate) fn place_in_profile(pointer: Gpr) -> Mem {
    Mem::base(pointer, PLACEHOLDER)
}

/// The instruction before, which ends in the displacement and an immediate of `immediate` bytes, names this place of the
/// function's region. Gives the position of the displacement: that of a fixup.
pub(crate) fn patch(asm: &mut Assembler, immediate: u32, place: u32) -> u32 {
    let at = asm.position().saturating_sub(4 + immediate);
    asm.patch_i32(at, place.cast_signed());
    at
}

/// Bytes of the immediate that the assembler chooses for this value.
pub(crate) fn immediate_bytes(value: i32) -> u32 {
    if i8::try_from(value).is_ok() { 1 } else { 4 }
}

impl Function<'_> {
    /// The instruction before names this place of the function's region.
    fn fix(&mut self, place: u32) {
        let at = patch(&mut self.asm, 0, place);
        self.tables.add_fixup(at);
    }

    /// Spends what a pass through the loop from `header` to here costs; negative flags say that the budget is gone.
    /// Changes `r11`.
    pub(crate) fn spend_on_loop(&mut self, context: Gpr, header: Label) {
        let start = self.asm.label_position(header).unwrap_or(0);
        let cost = loop_cost(self.asm.position().saturating_sub(start));
        self.asm.mov_rm(Width::W64, SCRATCH, Self::header(context, offset_of!(InstanceHeader, profile)));
        self.asm.alu_mi(Alu::Sub, Width::W32, place_in_profile(SCRATCH), cost);
        let at = patch(&mut self.asm, immediate_bytes(cost), offset_of!(FunctionProfile, budget) as u32);
        self.tables.add_fixup(at);
    }

    /// Counts a direct call of a defined function, if that may pay: a body that has not arrived yet may be a small one.
    /// `context` is the instance context. Changes `r11`.
    pub(crate) fn count_direct_call(&mut self, callee: DefinedFuncIndex, context: Gpr) {
        let body = self.module.info.bodies.get(callee.index());
        if self.settings().profile && body.is_none_or(|body| counts_calls_of(body.len())) {
            let place = self.tables.add_site(self.at, SiteKind::Direct);
            self.asm.mov_rm(Width::W64, SCRATCH, Self::header(context, offset_of!(InstanceHeader, profile)));
            self.asm.inc_m(Size::S32, place_in_profile(SCRATCH));
            self.fix(place);
        }
    }

    /// Counts a call of the function reference in `rax`. Changes `r10` and `r11`.
    pub(crate) fn count_indirect_call(&mut self) {
        if !self.settings().profile {
            return;
        }
        let place = self.tables.add_site(self.at, SiteKind::Indirect);
        let (other, back) = (self.asm.new_label(), self.asm.new_label());
        self.asm.mov_rm(Width::W64, Gpr::R10, self.vmctx_place());
        self.asm.mov_rr(Width::W32, SCRATCH, Gpr::RAX);
        self.asm.alu_rr(Alu::Sub, Width::W32, SCRATCH, Gpr::R10);
        self.asm.mov_rm(Width::W64, Gpr::R10, Self::header(Gpr::R10, offset_of!(InstanceHeader, profile)));
        self.asm.lea(Width::W64, Gpr::R10, place_in_profile(Gpr::R10));
        self.fix(place);
        self.asm.alu_rm(Alu::Cmp, Width::W32, SCRATCH, Mem::base(Gpr::R10, offset_of!(Target, distance) as i32));
        self.asm.jcc(crate::asm::x64::Cond::Ne, other);
        self.asm.inc_m(Size::S32, Mem::base(Gpr::R10, offset_of!(Target, count) as i32));
        self.asm.bind(back);
        self.cold.push(Cold::Record { label: other, back });
    }
}
