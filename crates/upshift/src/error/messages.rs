//! Every message that this crate makes: its words, its kind, and a code for programs. Whoever reports something takes
//! the words from here.
//!
//! A row is: kind, maker, arguments, code, text, and a comment that says what the reader can do. A maker puts its
//! arguments into the text and gives the error; an argument that the text does not use does not compile, nor does one
//! that is missing. `docs/errors.md` shows the rows, and a test compares the two.
//!
//! What other crates find they say in other ways: `wasm` words the faults of a module, which know their offsets, and the
//! compilers say which limit a function passed; both come here as the argument of a row. The runtime has no words at
//! all: its `ResourceError` and `Difference` are data.

#![allow(clippy::useless_format, reason = "rows without arguments are made like all others")]

use std::fmt::Display;

use super::compile::CompileError;
use super::link::LinkError;
use super::runtime::RuntimeError;
use super::usage::UsageError;

macro_rules! messages {
    ($(
        $(#[$class:meta])*
        $module:ident $Error:ident $Kind:ident {
            $( $(#[doc = $doc:literal])* $Variant:ident $make:ident($($arg:ident)*) $code:literal $text:literal; )*
        }
    )*) => { $(
        $(#[$class])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum $Kind {
            $( $(#[doc = $doc])* $Variant, )*
        }

        impl $Kind {
            /// Every kind.
            pub const ALL: &'static [$Kind] = &[$( $Kind::$Variant, )*];

            /// The code of the kind, for programs. It does not change from version to version.
            pub fn code(self) -> &'static str {
                match self { $( $Kind::$Variant => $code, )* }
            }

            /// The message, with what varies in braces.
            pub fn text(self) -> &'static str {
                match self { $( $Kind::$Variant => $text, )* }
            }

            /// What it means, and what can be done about it.
            pub fn meaning(self) -> &'static str {
                match self { $( $Kind::$Variant => concat!($( $doc, )*), )* }
            }
        }

        #[doc = concat!("Makers of [`", stringify!($Error), "`].")]
        pub(crate) mod $module {
            use super::*;

            $(
                #[doc = concat!("`", $code, "`: ", $text)]
                #[cold]
                pub(crate) fn $make($($arg: impl Display),*) -> $Error {
                    $Error::new($Kind::$Variant, format!($text, $($arg = $arg),*))
                }
            )*
        }
    )* };
}

macro_rules! phrases {
    ($( $make:ident($($arg:ident)*) $text:literal; )*) => {
        /// Parts of messages: faults of imports, and notes behind a message.
        pub(crate) mod phrases {
            use std::fmt::Display;

            $(
                #[doc = $text]
                #[cold]
                pub(crate) fn $make($($arg: impl Display),*) -> String {
                    format!($text, $($arg = $arg),*)
                }
            )*
        }
    };
}

macro_rules! panics {
    ($( $NAME:ident $text:literal; )*) => {
        /// What panics say: mistakes that no program can go on after.
        pub(crate) mod panics {
            $(
                #[doc = $text]
                pub(crate) const $NAME: &str = $text;
            )*
        }
    };
}

messages! {
    /// What kind of fault a [`CompileError`] is.
    compile CompileError CompileErrorKind {
        /// The bytes are not in the binary format.
        /// The file may be cut short or damaged, or no module at all.
        Malformed malformed(fault) "compile.malformed" "{fault}";
        /// The format is right, but the module breaks a rule of validation.
        /// Whatever made the module has a fault.
        Invalid invalid(fault) "compile.invalid" "{fault}";
        /// The module is larger than the limits of the engine allow.
        /// No setting changes these limits, which are those of the web.
        Limit limit(fault) "compile.limit" "{fault}";
        /// The module uses a proposal that is not supported, or off in the engine's configuration.
        /// Switch the proposal on in the configuration, or off in the toolchain.
        Unsupported unsupported(fault) "compile.unsupported" "{fault}";
        /// The module is valid, but an import that is answered at compile time has another type than what answers it.
        /// Declare the import with the type that the message requires, or do not ask for these compile-time imports.
        Import import(fault) "compile.import" "{fault}";
        /// The module is valid, but its machine code could not be made, or found no place.
        /// A larger code memory helps against the latter; functions that pass a limit must be split.
        Compile not_compiled(what) "compile.not-compiled" "cannot compile {what}";
        /// As above, for a reason that concerns the module as a whole.
        CompileModule module_not_compiled(fault) "compile.module-not-compiled" "{fault}";
    }

    /// What kind of fault a [`LinkError`] is.
    link LinkError LinkErrorKind {
        /// Nothing is defined under the import's module name.
        /// Define it, or have the module import from a name that is defined: the notes say which are near.
        UnknownModule unknown_module(module name fault) "link.unknown-module"
            "unknown import: `{module}::{name}` {fault}";
        /// The import's module name is known, but not the field.
        /// Define it, or correct its name: the notes say which are near.
        UnknownImport unknown_import(module name fault) "link.unknown-import"
            "unknown import: `{module}::{name}` {fault}";
        /// The import was given something else altogether: a memory, say, instead of a function.
        /// Give what is declared.
        WrongKind wrong_kind(module name fault) "link.wrong-kind"
            "incompatible import type for `{module}::{name}`: {fault}";
        /// The import was given a function of another type.
        /// The note says which parameter or result differs first.
        WrongFunction wrong_function(module name fault) "link.wrong-function"
            "incompatible import type for `{module}::{name}`: {fault}";
        /// The import was given a table of another type, or one that is too small.
        /// The note says what differs first. Sizes count as they are now, not as the table was made.
        WrongTable wrong_table(module name fault) "link.wrong-table"
            "incompatible import type for `{module}::{name}`: {fault}";
        /// The import was given a memory of another type, or one that is too small.
        /// The note says what differs first. Sizes count as they are now, not as the memory was made.
        WrongMemory wrong_memory(module name fault) "link.wrong-memory"
            "incompatible import type for `{module}::{name}`: {fault}";
        /// The import was given a global of another type or mutability.
        /// The note says what differs first.
        WrongGlobal wrong_global(module name fault) "link.wrong-global"
            "incompatible import type for `{module}::{name}`: {fault}";
    }

    /// What kind of fault a [`RuntimeError`] is.
    runtime RuntimeError RuntimeErrorKind {
        /// The system has no memory or no address space for a linear memory.
        /// The cause says what the system said.
        MemoryAllocation memory_allocation(bytes) "runtime.memory-allocation"
            "cannot allocate a linear memory of {bytes} bytes";
        /// A memory's minimum is above what any memory can have.
        MemoryOverLimit memory_over_limit(pages page_size limit) "runtime.memory-over-limit"
            "a memory of {pages} pages of {page_size} bytes is over the limit of {limit} bytes";
        /// The store's limiter said no to a new memory.
        MemoryRefused memory_refused(bytes) "runtime.memory-refused"
            "the resource limiter refused a memory of {bytes} bytes";
        /// A memory's maximum, the store's limiter or the system is in the way of `Memory::grow`.
        MemoryGrowth memory_growth(delta) "runtime.memory-growth" "failed to grow memory by {delta} pages";
        /// A memory's maximum is in the way of `memory.grow`. Limiters are told.
        MemoryMaximum memory_maximum(desired) "runtime.memory-maximum"
            "a memory cannot grow to {desired} bytes: its maximum is reached";
        /// The system has no memory for `memory.grow`. Limiters are told.
        MemoryExhausted memory_exhausted(desired) "runtime.memory-exhausted"
            "a memory cannot grow to {desired} bytes: the system has no memory for it";
        /// There is no memory for a new table.
        TableAllocation table_allocation(elements) "runtime.table-allocation"
            "cannot allocate a table of {elements} elements";
        /// A table's minimum is above what any table can have.
        TableOverLimit table_over_limit(elements limit) "runtime.table-over-limit"
            "a table of {elements} elements is over the limit of {limit} elements";
        /// The store's limiter said no to a new table.
        TableRefused table_refused(elements) "runtime.table-refused"
            "the resource limiter refused a table of {elements} elements";
        /// A table's maximum, the store's limiter or the system is in the way of `Table::grow`.
        TableGrowth table_growth(delta) "runtime.table-growth" "failed to grow table by {delta} elements";
        /// A table's maximum or the system is in the way of `table.grow`. Limiters are told.
        TableExhausted table_exhausted(desired) "runtime.table-exhausted"
            "a table cannot grow to {desired} elements";
        /// The store's limiter allows no more instances, memories or tables.
        TooMany too_many(most what) "runtime.too-many" "the resource limiter allows {most} {what} in a store";
        /// `StoreLimits` were told to trap where `memory.grow` or `table.grow` would give -1 for a limit of theirs.
        ForcedTrap forced_trap(desired what) "runtime.forced-trap" "forced trap: growing to {desired} {what}";
        /// As above, where it would give -1 for another reason, which is the cause.
        ForcedTrapOnFailure forced_trap_on_failure() "runtime.forced-trap-on-failure" "forced trap: growing failed";
        /// An import that nobody defined, and that was made to trap, was called.
        UndefinedImport undefined_import(module name) "runtime.undefined-import"
            "unknown import: `{module}::{name}` was called";
        /// The compilation was cancelled, by whoever had asked for it.
        Cancelled cancelled() "runtime.cancelled" "the compilation was cancelled";
        /// The engine's last handle was dropped while a module was being made.
        /// Keep a handle until the module is there.
        EngineDropped engine_dropped() "runtime.engine-dropped"
            "the engine was dropped before the module was made";
        /// A file cannot be read.
        /// The cause says why.
        ReadFile read_file(path) "runtime.read-file" "cannot read {path}";
        /// The processor lacks what the engine's compilers need.
        Machine machine(fault) "runtime.machine" "{fault}";
        /// The system refused what an engine needs: address space, threads.
        /// The cause says what the system said.
        System system(what) "runtime.system" "cannot {what}";
    }

    /// What kind of mistake a [`UsageError`] is.
    usage UsageError UsageErrorKind {
        /// The list of imports is as long as the module's own, in its order.
        ImportCount import_count(expected given) "usage.import-count"
            "wrong number of imports: the module has {expected}, given {given}";
        /// No function of this name is exported.
        NoSuchFunction no_such_function(name) "usage.no-such-function" "no function named `{name}` is exported";
        /// The export of this name is no function.
        ExportKind export_kind(name given) "usage.export-kind" "the export `{name}` is no function: it is {given}";
        /// The function has another type than `typed` asked for. The Rust type `u32` is `i32`, and so on: see `WasmTy`.
        FunctionType function_type(given wanted) "usage.function-type"
            "type mismatch: the function is {given}, not {wanted}";
        /// As above, for an export.
        ExportType export_type(name given wanted) "usage.export-type"
            "type mismatch: the function `{name}` is {given}, not {wanted}";
        /// A call with too few or too many arguments, or another number of places for results.
        ArgumentCount argument_count(params results ty given_params given_results) "usage.argument-count"
            "expected {params} arguments and room for {results} results of {ty}, got {given_params} and {given_results}";
        /// An argument, element or global's value of the wrong type.
        ValueType value_type(expected given) "usage.value-type"
            "type mismatch: expected a value of type {expected}, given {given}";
        /// A host function made by `Func::new` broke its promise. The cause says how.
        HostResult host_result() "usage.host-result" "a host function gave a result of the wrong type";
        /// Elements are copied between tables of equal element types, or from a subtype's to its supertype's.
        TableTypes table_types() "usage.table-types" "type mismatch: the tables have different element types";
        /// Only mutable globals can be set.
        ImmutableGlobal immutable_global() "usage.immutable-global" "immutable global cannot be set";
        /// References to values of the host belong to the store that made them.
        WrongStoreReference wrong_store_reference() "usage.wrong-store-reference"
            "a reference was used with the wrong store";
        /// A linker's names are defined once, unless it allows shadowing.
        DefinedTwice defined_twice(module name) "usage.defined-twice" "import of `{module}::{name}` defined twice";
        /// An alias needs a name that is defined.
        NoSuchItem no_such_item(module name) "usage.no-such-item" "no item named `{module}::{name}` is defined";
        /// The default of a module is a function.
        DefaultKind default_kind(module name) "usage.default-kind" "`{module}::{name}` is not a function";
        /// Imports that are not functions cannot be left undefined.
        /// Define it, or give default values to what is undefined.
        OnlyFunctionsTrap only_functions_trap(module name ty) "usage.only-functions-trap"
            "`{module}::{name}` ({ty}): only functions can be made to trap";
        /// References that cannot be null have no default value.
        NoDefaultValue no_default_value(ty) "usage.no-default-value" "there is no default value of type {ty}";
        /// The index of a function that has a body in the module.
        NotDefined not_defined(index) "usage.not-defined" "the module defines no function {index}";
        /// Fuel is for engines with `Config::consume_fuel`.
        FuelOff fuel_off() "usage.fuel-off" "fuel is not on in the engine's configuration";
        /// The configuration asks for a proposal that this version lacks.
        Proposal proposal(feature) "usage.proposal" "the {feature} proposal is not supported";
        /// Pages have 64 KiB, or one byte.
        PageSize page_size(log2) "usage.page-size" "pages of 2^{log2} bytes are not supported";
        /// A memory type's limits are more than can be addressed.
        MemoryTypeLimit memory_type_limit(bits most) "usage.memory-type-limit"
            "a memory addressed by {bits} bits has at most {most} pages";
        /// A memory type's minimum is at most its maximum.
        MemoryTypeOrder memory_type_order() "usage.memory-type-order"
            "the minimum of a memory is above its maximum";
    }
}

phrases! {
    // The fault of an import, without its names.
    undefined(expected) "has not been defined (expected {expected})";
    mismatch(expected given) "expected {expected}, given {given}";
    function(index) "function {index}";
    named_function(index name) "function {index} (`{name}`)";
    // Where, as the JavaScript interface says it.
    import_place(index module name) "Import #{index} \"{module}\" \"{name}\"";

    // What differs.
    param_count(expected given) "number of parameters: expected {expected}, given {given}";
    param(number expected given) "parameter {number}: expected {expected}, given {given}";
    result_count(expected given) "number of results: expected {expected}, given {given}";
    result(number expected given) "result {number}: expected {expected}, given {given}";
    declaration() "the types look alike, but neither is declared as a subtype of the other";
    element(expected given) "element type: expected {expected}, given {given}";
    width(expected given) "index type: expected i{expected}, given i{given}";
    minimum(expected given) "minimum: expected at least {expected}, given {given}";
    maximum(expected given) "maximum: expected at most {expected}, given {given}";
    no_maximum(expected) "maximum: expected at most {expected}, given none";
    expected_shared() "it must be shared";
    expected_unshared() "it must not be shared";
    page_size(expected given) "page size: expected {expected} bytes, given {given}";
    expected_mutable() "it must be mutable";
    expected_immutable() "it must be immutable";
    content(expected given) "content: expected {expected}, given {given}";
    // Names that exist.
    did_you_mean(name) "did you mean `{name}`?";
    module_near(module near) "no module `{module}` is defined: did you mean `{near}`?";
    modules(module names) "no module `{module}` is defined, only {names}";
    nothing_defined() "nothing is defined at all";
    elsewhere(path) "`{path}` is defined";
    one_more_missing(path) "1 more import is missing: {path}";
    more_missing(count paths) "{count} more imports are missing: {paths}";
    first_missing(module name expected) "the first that is missing is `{module}::{name}` ({expected})";
}

panics! {
    WRONG_STORE "object used with the wrong store";
    LINKER_AND_MODULE "linker and module belong to different engines";
    LINKER_AND_STORE "linker and store belong to different engines";
    MODULE_AND_STORE "module and store belong to different engines";
    TYPE_OF_ANOTHER_ENGINE "a type of another engine";
    TYPES_OF_DIFFERENT_ENGINES "types of different engines";
}
