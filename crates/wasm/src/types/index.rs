//! The index spaces of a module, each a type of its own so that they cannot be mixed up.

macro_rules! index_spaces {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);

        impl $name {
            /// The index of position `index`.
            ///
            /// # Panics
            /// Past `u32::MAX`. The module limits keep every index space far below that, so this
            /// is for positions in the lists of a decoded module only.
            #[inline]
            pub fn new(index: usize) -> $name {
                $name(u32::try_from(index).expect("module limits keep indices within 32 bits"))
            }

            /// The position in the list of its space.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

index_spaces! {
    /// A type of the module.
    TypeIndex,
    /// A function: imported ones first, then defined ones.
    FuncIndex,
    /// A function with a body, counted from the first defined one.
    DefinedFuncIndex,
    /// A table: imported ones first.
    TableIndex,
    /// A table of the module itself.
    DefinedTableIndex,
    /// A memory: imported ones first.
    MemoryIndex,
    /// A memory of the module itself.
    DefinedMemoryIndex,
    /// A global: imported ones first.
    GlobalIndex,
    /// A global of the module itself.
    DefinedGlobalIndex,
    /// An exception tag: imported ones first.
    TagIndex,
    /// An element segment.
    ElemIndex,
    /// A data segment.
    DataIndex,
    /// A local of a function: parameters first.
    LocalIndex,
    /// A type of the engine's registry, equal for equal types of different modules.
    CanonicalTypeIndex,
}
