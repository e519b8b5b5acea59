//! What the machine has beyond x86-64-v2, which is required.

/// Instruction sets that the compiler may use. The default has none of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Features {
    /// AVX, with the operating system saving the wide registers.
    pub avx: bool,
    /// AVX2.
    pub avx2: bool,
    /// FMA3.
    pub fma: bool,
    /// BMI1: `tzcnt`, `andn`.
    pub bmi1: bool,
    /// BMI2: `shlx` and the like, `rorx`, `mulx`.
    pub bmi2: bool,
    /// `lzcnt`.
    pub lzcnt: bool,
}
