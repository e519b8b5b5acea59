//! Flushing: functions give up their code and are lazy again.

use std::collections::HashSet;
use std::sync::Arc;

use abi::tier::Tier;
use code::code::{Code, CodeKind};
use code::native_module::NativeModule;
use wasm::types::DefinedFuncIndex;

use super::tell;
use crate::attachment;
use crate::compile::job::budget;
use crate::service::Service;

/// How warm a function of the baseline tier is: was it entered since the last look, and how much has it spent?
type Warmth = (bool, u64);

/// Flushes about `wanted` bytes of baseline code, or all there is, coldest first.
pub(super) fn coldest(service: &Service, wanted: usize) {
    let modules = service.registry.modules();
    let mut found: Vec<(Warmth, usize, DefinedFuncIndex, usize)> = Vec::new();
    for (place, module) in modules.iter().enumerate() {
        let mut look = attachment::of(module).tiering.look();
        module.each_code(|function, code| {
            if let CodeKind::Function { tier: Tier::Baseline, .. } = code.kind() {
                let left = module.budget(function).unwrap_or(0);
                let spent = i64::from(budget(service, module, function).1).saturating_sub(i64::from(left)).max(0);
                found.push((look.warmth(function, left, spent as u64), place, function, code.len()));
            }
        });
    }
    found.sort_unstable_by_key(|&(warmth, place, function, _)| (warmth, place, function));
    let mut picked = vec![HashSet::new(); modules.len()];
    let mut bytes = 0;
    for (_, place, function, len) in found {
        if bytes >= wanted {
            break;
        }
        bytes += len;
        picked[place].insert(function);
    }
    for (module, picked) in modules.iter().zip(&picked) {
        if !picked.is_empty() {
            let unwanted = |code: &Code| matches!(code.kind(), CodeKind::Function { tier: Tier::Baseline, function, .. } if picked.contains(function));
            flush(service, module, unwanted);
        }
    }
}

/// Flushes all code of the baseline tier.
pub(super) fn baseline(service: &Service) {
    everything(service, |kind| matches!(kind, CodeKind::Function { tier: Tier::Baseline, .. }));
}

/// Flushes all code of this kind.
pub(super) fn everything(service: &Service, unwanted: impl Fn(&CodeKind) -> bool) {
    for module in service.registry.modules() {
        flush(service, &module, |code| unwanted(code.kind()));
    }
}

/// Flushes the code of a module that `unwanted` picks.
pub(super) fn flush(service: &Service, module: &Arc<NativeModule>, unwanted: impl FnMut(&Code) -> bool) {
    let flushed = module.flush(unwanted);
    attachment::of(module).tiering.forget(&flushed);
    tell(service, module, &flushed.functions);
}
