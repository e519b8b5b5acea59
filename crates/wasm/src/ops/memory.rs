//! Linear memory: scalar loads and stores, growth, and the bulk operators.

use std::fmt;

use crate::types::{DataIndex, MemoryIndex, ValType};

/// The immediate of a load or store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemArg {
    /// The alignment promised by the module, as a power of two; a hint only.
    pub align_log2: u8,
    /// The memory accessed.
    pub memory: MemoryIndex,
    /// Added to the address operand without wrapping, in bytes.
    pub offset: u64,
}

impl MemArg {
    /// Writes the immediate as text; an alignment equal to `natural_log2` is left out.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, natural_log2: u8) -> fmt::Result {
        if self.memory.0 != 0 {
            write!(f, " {}", self.memory.0)?;
        }
        if self.offset != 0 {
            write!(f, " offset={}", self.offset)?;
        }
        if self.align_log2 != natural_log2 {
            write!(f, " align={}", 1u64.unbounded_shl(self.align_log2.into()))?;
        }
        Ok(())
    }
}

macro_rules! accesses {
    ($(#[$doc:meta])* $name:ident { $( $code:literal $variant:ident $text:literal $ty:ident $log2:literal, )* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name { $( #[doc = concat!("`", $text, "`")] $variant, )* }

        impl $name {
            /// Every access of the table.
            pub const ALL: &'static [$name] = &[$( $name::$variant, )*];

            /// The access with this opcode.
            #[inline]
            pub const fn from_opcode(code: u8) -> Option<$name> {
                match code {
                    $( $code => Some($name::$variant), )*
                    _ => None,
                }
            }

            /// The name in the text format.
            pub fn name(self) -> &'static str {
                match self { $( $name::$variant => $text, )* }
            }

            /// The type of the operand loaded or stored.
            pub const fn value_type(self) -> ValType {
                match self { $( $name::$variant => ValType::$ty, )* }
            }

            /// Bytes touched in memory, as a power of two; also the natural alignment.
            pub const fn bytes_log2(self) -> u8 {
                match self { $( $name::$variant => $log2, )* }
            }

            /// Bytes touched in memory.
            pub fn bytes(self) -> u32 {
                1 << self.bytes_log2()
            }
        }
    };
}

accesses! {
    /// A scalar load: `I64U16` reads 16 bits and zero-extends them to an `i64`.
    LoadKind {
        0x28 I32 "i32.load" I32 2,
        0x29 I64 "i64.load" I64 3,
        0x2a F32 "f32.load" F32 2,
        0x2b F64 "f64.load" F64 3,
        0x2c I32S8 "i32.load8_s" I32 0,
        0x2d I32U8 "i32.load8_u" I32 0,
        0x2e I32S16 "i32.load16_s" I32 1,
        0x2f I32U16 "i32.load16_u" I32 1,
        0x30 I64S8 "i64.load8_s" I64 0,
        0x31 I64U8 "i64.load8_u" I64 0,
        0x32 I64S16 "i64.load16_s" I64 1,
        0x33 I64U16 "i64.load16_u" I64 1,
        0x34 I64S32 "i64.load32_s" I64 2,
        0x35 I64U32 "i64.load32_u" I64 2,
    }
}

accesses! {
    /// A scalar store: `I64As16` writes the low 16 bits of an `i64`.
    StoreKind {
        0x36 I32 "i32.store" I32 2,
        0x37 I64 "i64.store" I64 3,
        0x38 F32 "f32.store" F32 2,
        0x39 F64 "f64.store" F64 3,
        0x3a I32As8 "i32.store8" I32 0,
        0x3b I32As16 "i32.store16" I32 1,
        0x3c I64As8 "i64.store8" I64 0,
        0x3d I64As16 "i64.store16" I64 1,
        0x3e I64As32 "i64.store32" I64 2,
    }
}

/// An operator on linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Memory {
    /// A scalar load.
    Load(LoadKind, MemArg),
    /// A scalar store.
    Store(StoreKind, MemArg),
    /// `memory.size`, in pages.
    Size(MemoryIndex),
    /// `memory.grow`, by pages.
    Grow(MemoryIndex),
    /// `memory.fill`
    Fill(MemoryIndex),
    /// `memory.copy`
    Copy {
        /// Written.
        dst: MemoryIndex,
        /// Read.
        src: MemoryIndex,
    },
    /// `memory.init`
    Init {
        /// The segment read.
        data: DataIndex,
        /// The memory written.
        memory: MemoryIndex,
    },
    /// `data.drop`
    DataDrop(DataIndex),
}

impl Memory {
    /// The name in the text format.
    pub fn name(&self) -> &'static str {
        match self {
            Memory::Load(kind, _) => kind.name(),
            Memory::Store(kind, _) => kind.name(),
            Memory::Size(_) => "memory.size",
            Memory::Grow(_) => "memory.grow",
            Memory::Fill(_) => "memory.fill",
            Memory::Copy { .. } => "memory.copy",
            Memory::Init { .. } => "memory.init",
            Memory::DataDrop(_) => "data.drop",
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Memory::Load(kind, arg) => arg.write(f, kind.bytes_log2()),
            Memory::Store(kind, arg) => arg.write(f, kind.bytes_log2()),
            Memory::Size(memory) | Memory::Grow(memory) | Memory::Fill(memory) => {
                if memory.0 == 0 {
                    Ok(())
                } else {
                    write!(f, " {}", memory.0)
                }
            }
            Memory::Copy { dst, src } => {
                if dst.0 == 0 && src.0 == 0 {
                    Ok(())
                } else {
                    write!(f, " {} {}", dst.0, src.0)
                }
            }
            Memory::Init { data, memory } => {
                if memory.0 != 0 {
                    write!(f, " {}", memory.0)?;
                }
                write!(f, " {}", data.0)
            }
            Memory::DataDrop(data) => write!(f, " {}", data.0),
        }
    }
}
