//! Which proposals a module uses: those without which it is not valid.

use upshift::{Config, Engine, Module};

/// How a proposal is switched.
type Switch = fn(&mut Config, bool) -> &mut Config;

const PROPOSALS: [(&str, Switch); 15] = [
    ("bulk-memory-operations", Config::wasm_bulk_memory),
    ("reference-types", Config::wasm_reference_types),
    ("multi-value", Config::wasm_multi_value),
    ("simd", Config::wasm_simd),
    ("sign-extension-ops", Config::wasm_sign_extension),
    ("nontrapping-float-to-int-conversions", Config::wasm_saturating_float_to_int),
    ("mutable-global", Config::wasm_mutable_global),
    ("extended-const", Config::wasm_extended_const),
    ("tail-call", Config::wasm_tail_call),
    ("multi-memory", Config::wasm_multi_memory),
    ("memory64", Config::wasm_memory64),
    ("relaxed-simd", Config::wasm_relaxed_simd),
    ("wide-arithmetic", Config::wasm_wide_arithmetic),
    ("custom-page-sizes", Config::wasm_custom_page_sizes),
    ("function-references", Config::wasm_function_references),
];

/// The proposals that a valid module uses, by the names of their repositories.
pub(crate) fn used(binary: &[u8]) -> Vec<&'static str> {
    let needed = |switch: &Switch| {
        let mut config = Config::new();
        switch(&mut config, false);
        Engine::new(&config).and_then(|engine| Module::validate(&engine, binary)).is_err()
    };
    PROPOSALS.iter().filter(|(_, switch)| needed(switch)).map(|&(name, _)| name).collect()
}

#[cfg(test)]
mod tests;
