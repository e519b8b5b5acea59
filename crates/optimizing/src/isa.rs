//! The machine that code is made for: this one, and what we ask of Cranelift on it.

use std::sync::Arc;

use abi::compiler::Settings;
use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable, Flags};

/// The level of x86-64 below which some operators would need library calls: x86-64-v2.
const REQUIRED: [&str; 5] = ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];

/// Cranelift set up for this machine.
pub(crate) struct Target {
    /// By [`variant`].
    isas: [OwnedTargetIsa; 4],
    /// For the second half of a compilation, when the optimizer is through: without and with the verifier.
    back_ends: [OwnedTargetIsa; 2],
}

/// The machine as one function's settings want it.
#[derive(Clone, Copy)]
pub(crate) struct Machine<'a> {
    /// Cranelift's view of it.
    pub(crate) isa: &'a dyn TargetIsa,
    /// The same without an optimizer.
    pub(crate) back_end: &'a dyn TargetIsa,
}

impl Target {
    /// Sets Cranelift up for the machine it runs on.
    ///
    /// # Errors
    /// When Cranelift does not know the machine or the machine lacks an instruction set that we need.
    pub(crate) fn native() -> Result<Target, String> {
        let isas = [native_isa(0)?, native_isa(1)?, native_isa(2)?, native_isa(3)?];
        let missing: Vec<&str> = REQUIRED.into_iter().filter(|name| !has(&*isas[0], name)).collect();
        if !missing.is_empty() {
            return Err(format!(
                "the processor is below x86-64-v2: it lacks {}",
                missing.join(", ").replace("has_", "")
            ));
        }
        let back_ends = [native_isa(BACK_END)?, native_isa(BACK_END | VERIFY)?];
        Ok(Target { isas, back_ends })
    }

    /// A machine of the level that is required, with these instruction sets in addition.
    #[cfg(test)]
    pub(crate) fn with_features(features: &[&str]) -> Target {
        let isa = |variant| {
            let mut builder = isa::lookup_by_name("x86_64-unknown-linux-gnu").expect("Cranelift was built for x86-64");
            for feature in REQUIRED.iter().chain(features) {
                builder.enable(feature).expect("Cranelift knows the feature");
            }
            configure(builder, variant).expect("the settings are Cranelift's")
        };
        let back_ends = [isa(BACK_END), isa(BACK_END | VERIFY)];
        Target { isas: [isa(0), isa(1), isa(2), isa(3)], back_ends }
    }

    /// The machine as these settings want it.
    pub(crate) fn machine(&self, settings: Settings) -> Machine<'_> {
        let back_end = &*self.back_ends[usize::from(settings.verify)];
        Machine { isa: &*self.isas[variant(settings)], back_end }
    }
}

/// Bit of a set-up: the verifier is on.
const VERIFY: usize = 1;
/// NaNs are made canonical.
const CANONICAL_NANS: usize = 2;
/// The optimizer is off.
const BACK_END: usize = 4;

/// Which of the four set-ups of the whole of Cranelift.
fn variant(settings: Settings) -> usize {
    let bit = |on: bool, bit| if on { bit } else { 0 };
    bit(settings.verify, VERIFY) | bit(settings.canonical_nans, CANONICAL_NANS)
}

fn has(isa: &dyn TargetIsa, flag: &str) -> bool {
    isa.isa_flags().iter().any(|value| value.name == flag && value.as_bool() == Some(true))
}

fn native_isa(variant: usize) -> Result<Arc<dyn TargetIsa>, String> {
    configure(cranelift_native::builder()?, variant)
}

fn configure(builder: isa::Builder, variant: usize) -> Result<Arc<dyn TargetIsa>, String> {
    let yes_no = |on| if on { "true" } else { "false" };
    let wanted = [
        ("opt_level", if variant & BACK_END == 0 { "speed" } else { "none" }),
        ("preserve_frame_pointers", "true"),
        ("unwind_info", "false"),
        // Frames are bounded by the explicit limit check.
        ("enable_probestack", "false"),
        ("enable_verifier", yes_no(variant & VERIFY != 0)),
        ("enable_nan_canonicalization", yes_no(variant & CANONICAL_NANS != 0)),
    ];
    let mut flags = settings::builder();
    for (name, value) in wanted {
        flags.set(name, value).map_err(|error| format!("setting {name}: {error}"))?;
    }
    builder.finish(Flags::new(flags)).map_err(|error| error.to_string())
}
