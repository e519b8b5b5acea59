//! The builtin table: the runtime functions that compiled code calls, with their numbers and shapes.
//!
//! Each builtin is called with the C convention through `InstanceHeader::builtins[number]`. Its first argument is the
//! caller's instance context. Arguments are integers (`I32` arguments arrive zero-extended or with unspecified upper
//! bits: the body takes `u32`); the result, if any, is one integer. A builtin that fails does not return: it raises.

/// The kind of one argument or result of a builtin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BuiltinType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer, an address, or a function reference.
    I64,
}

/// Expands `$mac!` with one row a builtin: `name(arg: type, ..) -> result;` in the order of the numbers.
#[macro_export]
macro_rules! for_each_builtin {
    ($mac:ident) => {
        $mac! {
            /// `memory.grow`: delta in pages; gives the old size in pages, or -1.
            memory_grow(memory: I32, delta: I64) -> I64;
            /// `memory.fill`.
            memory_fill(memory: I32, dst: I64, value: I32, len: I64);
            /// `memory.copy`, between any two memories.
            memory_copy(dst_memory: I32, src_memory: I32, dst: I64, src: I64, len: I64);
            /// `memory.init`.
            memory_init(memory: I32, data: I32, dst: I64, src: I32, len: I32);
            /// `data.drop`.
            data_drop(data: I32);
            /// `table.grow`: the initial value as a 64-bit integer; gives the old size, or -1.
            table_grow(table: I32, delta: I64, init: I64) -> I64;
            /// `table.fill`.
            table_fill(table: I32, dst: I64, value: I64, len: I64);
            /// `table.copy`.
            table_copy(dst_table: I32, src_table: I32, dst: I64, src: I64, len: I64);
            /// `table.init`.
            table_init(table: I32, elem: I32, dst: I64, src: I32, len: I32);
            /// `elem.drop`.
            elem_drop(elem: I32);
            /// Fuel is spent: raises a trap, or returns with more fuel granted.
            out_of_fuel();
            /// The epoch has reached the store's deadline: raises a trap, or returns with a new deadline set.
            new_epoch() -> I64;
            /// Raises the trap with this code.
            raise_trap(reason: I32);
            /// A loop of baseline code has spent the budget. `loop_offset` is the offset of the `loop` operator in the
            /// module; the frame image (see [`crate::frame`]) of `size` bytes ends `frame_offset` bytes below the caller's
            /// frame pointer. Gives the OSR entry to go on in, or 0.
            loop_tier_up(function: I32, loop_offset: I32, frame_offset: I32, size: I32) -> I64;
        }
    };
}

macro_rules! define {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        /// One builtin; its number is its discriminant and its place in the table.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[allow(non_camel_case_types, reason = "the variants are the names of functions")]
        #[repr(u32)]
        pub enum Builtin {
            $($(#[$doc])* $name,)*
        }

        impl Builtin {
            /// All builtins in the order of their numbers.
            pub const ALL: &'static [Builtin] = &[$(Builtin::$name,)*];

            /// Number of builtins, which is the length of the table.
            pub const COUNT: usize = Builtin::ALL.len();

            /// The arguments after the instance context.
            pub fn params(self) -> &'static [BuiltinType] {
                match self {
                    $(Builtin::$name => &[$(BuiltinType::$ty),*],)*
                }
            }

            /// The result, if it gives one.
            pub fn result(self) -> Option<BuiltinType> {
                match self {
                    $(Builtin::$name => define!(@result $($result)?),)*
                }
            }

            /// The builtin's name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Builtin::$name => stringify!($name),)*
                }
            }
        }
    };
    (@result) => { None };
    (@result $ty:ident) => { Some(BuiltinType::$ty) };
}

for_each_builtin!(define);

/// Entries of the builtin table behind the C functions, with conventions of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
pub enum NativeEntry {
    /// Baseline code has spent its budget at its entry and jumps here: the function's number is in `r11d`, every argument
    /// where the function got it, the stack as it was at the function's entry. Goes on in the function's newest code.
    TierUp = Builtin::COUNT as u32,
    /// Called by baseline code when the first target of an [`crate::feedback::IndirectSite`] is not the one at hand: the
    /// site's address is in `r10`, the target's number in `r11d`. Changes `r10`, `r11` and the flags only.
    RecordTarget,
}

impl NativeEntry {
    /// Number of entries of the whole builtin table.
    pub const TABLE_LEN: usize = Builtin::COUNT + 2;
}
