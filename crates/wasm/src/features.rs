//! The proposals of the language, by name: which can be switched, and which are on.

use std::fmt;

macro_rules! features {
    ($($(#[$doc:meta])* $field:ident $variant:ident $text:literal $supported:literal,)*) => {
        /// Which proposals a module may use. The default is everything that is supported.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[allow(clippy::struct_excessive_bools)]
        pub struct Features { $( $(#[$doc])* pub $field: bool, )* }

        /// One proposal.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Feature { $( $(#[$doc])* $variant, )* }

        impl Feature {
            /// Every proposal.
            pub const ALL: &'static [Feature] = &[$( Feature::$variant, )*];

            /// The name of the proposal's repository.
            pub fn name(self) -> &'static str {
                match self { $( Feature::$variant => $text, )* }
            }

            /// Whether the engine can run modules that use it.
            pub fn supported(self) -> bool {
                match self { $( Feature::$variant => $supported, )* }
            }
        }

        impl Features {
            /// The first version of the language and nothing else.
            pub const MVP: Features = Features { $( $field: false, )* };

            /// Everything that is supported.
            pub const SUPPORTED: Features = Features { $( $field: $supported, )* };

            /// Whether a proposal is on.
            pub fn contains(&self, feature: Feature) -> bool {
                match feature { $( Feature::$variant => self.$field, )* }
            }

            /// Switches a proposal.
            pub fn set(&mut self, feature: Feature, on: bool) {
                match feature { $( Feature::$variant => self.$field = on, )* }
            }
        }
    };
}

features! {
    /// Bulk memory operations.
    bulk_memory BulkMemory "bulk-memory-operations" true,
    /// Reference types.
    reference_types ReferenceTypes "reference-types" true,
    /// Several results and block parameters.
    multi_value MultiValue "multi-value" true,
    /// 128-bit vectors.
    simd Simd "simd" true,
    /// Sign-extension operators.
    sign_extension SignExtension "sign-extension-ops" true,
    /// Float to integer conversion without traps.
    saturating_float_to_int SaturatingFloatToInt "nontrapping-float-to-int-conversions" true,
    /// Import and export of mutable globals.
    mutable_global MutableGlobal "mutable-global" true,
    /// Arithmetic in constant expressions.
    extended_const ExtendedConst "extended-const" true,
    /// Tail calls.
    tail_call TailCall "tail-call" true,
    /// Several memories.
    multi_memory MultiMemory "multi-memory" true,
    /// 64-bit memories and tables.
    memory64 Memory64 "memory64" true,
    /// Relaxed vectors.
    relaxed_simd RelaxedSimd "relaxed-simd" true,
    /// 128-bit integer arithmetic.
    wide_arithmetic WideArithmetic "wide-arithmetic" true,
    /// Pages of one byte.
    custom_page_sizes CustomPageSizes "custom-page-sizes" true,
    /// Typed function references.
    function_references FunctionReferences "function-references" true,
    /// Shared memories and atomics.
    threads Threads "threads" false,
    /// Exceptions.
    exceptions Exceptions "exception-handling" false,
    /// The first encoding of exceptions.
    legacy_exceptions LegacyExceptions "legacy-exceptions" false,
    /// Garbage collection.
    gc Gc "gc" false,
}

impl Default for Features {
    fn default() -> Features {
        Features::SUPPORTED
    }
}

impl Features {
    /// The same, without what is not supported.
    #[must_use]
    pub fn only_supported(&self) -> Features {
        let mut features = *self;
        for &feature in Feature::ALL {
            if !feature.supported() {
                features.set(feature, false);
            }
        }
        features
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
