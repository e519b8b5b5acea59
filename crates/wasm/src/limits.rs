//! How large a module may be: the limits of V8, so that what runs there runs here.

/// Elements of a table at run time. A module may declare more; making such a table fails.
pub const MAX_TABLE_ELEMENTS: u64 = 10_000_000;
/// Bytes of a 32-bit memory at run time: 65 536 pages of 64 KiB.
pub const MAX_MEMORY32_BYTES: u64 = 1 << 32;
/// Bytes of a 64-bit memory at run time: 262 144 pages of 64 KiB.
pub const MAX_MEMORY64_BYTES: u64 = 1 << 34;

/// The limits of a module. The default is V8's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the module.
    pub module_size: usize,
    /// Defined types.
    pub types: u32,
    /// Defined functions.
    pub functions: u32,
    /// Functions, imported ones included.
    pub total_functions: u32,
    /// Imports of all kinds.
    pub imports: u32,
    /// Exports.
    pub exports: u32,
    /// Globals, imported ones included.
    pub globals: u32,
    /// Tags, imported ones included.
    pub tags: u32,
    /// Data segments.
    pub data_segments: u32,
    /// Element segments.
    pub element_segments: u32,
    /// Entries of all segments that initialise tables, each.
    pub table_init_entries: u32,
    /// Tables, imported ones included.
    pub tables: u32,
    /// Memories, imported ones included.
    pub memories: u32,
    /// Bytes of a function body.
    pub function_size: usize,
    /// Locals of a function, parameters included.
    pub locals: u32,
    /// Parameters of a function type.
    pub params: u32,
    /// Results of a function type.
    pub results: u32,
    /// Targets of a `br_table`, without the default.
    pub br_table_size: u32,
    /// Bytes of a name.
    pub string_size: u32,
    /// Fields of a struct type.
    pub struct_fields: u32,
    /// Length of a chain of supertypes.
    pub subtyping_depth: u32,
}

impl Limits {
    /// V8's table (`wasm-limits.h`, 14.4).
    pub const V8: Limits = Limits {
        module_size: 1 << 30,
        types: 1_000_000,
        functions: 1_000_000,
        total_functions: 1_100_000,
        imports: 100_000,
        exports: 100_000,
        globals: 1_000_000,
        tags: 1_000_000,
        data_segments: 100_000,
        element_segments: 10_000_000,
        table_init_entries: 10_000_000,
        tables: 100_000,
        memories: 100_000,
        function_size: 7_654_321,
        locals: 50_000,
        params: 1_000,
        results: 1_000,
        br_table_size: 65_520,
        string_size: 100_000,
        struct_fields: 10_000,
        subtyping_depth: 63,
    };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::V8
    }
}
