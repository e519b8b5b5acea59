//! Between our features and errors and the validator's.

use wasmparser::WasmFeatures;

use crate::decode::error::{DecodeError, DecodeErrorKind};
use crate::features::{Feature, Features};

/// The validator's flag of a proposal.
fn flag(feature: Feature) -> WasmFeatures {
    match feature {
        Feature::BulkMemory => WasmFeatures::BULK_MEMORY,
        Feature::ReferenceTypes => WasmFeatures::REFERENCE_TYPES,
        Feature::MultiValue => WasmFeatures::MULTI_VALUE,
        Feature::Simd => WasmFeatures::SIMD,
        Feature::SignExtension => WasmFeatures::SIGN_EXTENSION,
        Feature::SaturatingFloatToInt => WasmFeatures::SATURATING_FLOAT_TO_INT,
        Feature::MutableGlobal => WasmFeatures::MUTABLE_GLOBAL,
        Feature::ExtendedConst => WasmFeatures::EXTENDED_CONST,
        Feature::TailCall => WasmFeatures::TAIL_CALL,
        Feature::MultiMemory => WasmFeatures::MULTI_MEMORY,
        Feature::Memory64 => WasmFeatures::MEMORY64,
        Feature::RelaxedSimd => WasmFeatures::RELAXED_SIMD,
        Feature::WideArithmetic => WasmFeatures::WIDE_ARITHMETIC,
        Feature::CustomPageSizes => WasmFeatures::CUSTOM_PAGE_SIZES,
        Feature::FunctionReferences => WasmFeatures::FUNCTION_REFERENCES,
        Feature::Threads => WasmFeatures::THREADS,
        Feature::Exceptions => WasmFeatures::EXCEPTIONS,
        Feature::LegacyExceptions => WasmFeatures::LEGACY_EXCEPTIONS,
        Feature::Gc => WasmFeatures::GC,
    }
}

/// The flags of a set of proposals.
pub(super) fn features(features: &Features) -> WasmFeatures {
    let mut flags = WasmFeatures::FLOATS | WasmFeatures::GC_TYPES;
    for &feature in Feature::ALL {
        flags.set(flag(feature), features.contains(feature));
    }
    // Wasm 3.0 lets constant expressions read any earlier immutable global, which the validator
    // has under garbage collection. Our own decoder and `body` refuse everything else of it.
    if features.function_references && features.extended_const {
        flags.insert(WasmFeatures::GC);
    }
    flags
}

/// An error of the validator as ours.
#[cold]
pub(super) fn error(error: wasmparser::Error) -> DecodeError {
    let offset = usize::try_from(error.offset()).unwrap_or(usize::MAX);
    let missing = error.missing_wasm_feature();
    let missing = Feature::ALL.iter().find(|&&feature| missing.is_some_and(|flags| flags.intersects(flag(feature))));
    let Some(&feature) = missing else {
        return DecodeError::invalid(offset, error.message());
    };
    let state = if feature.supported() { "enabled" } else { "supported" };
    let message = format!("the {feature} proposal is not {state}: {}", error.message());
    DecodeError::new(DecodeErrorKind::Unsupported(feature), offset, message)
}
