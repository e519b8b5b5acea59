//! Traps, and the backtraces that say where one happened.

use std::fmt;

use runtime::backtrace::Backtrace;
use runtime::trap::TrapReason;

use crate::engine::Engine;
use crate::module::Module;
use crate::store::AsContext;

#[cfg(test)]
mod tests;

macro_rules! traps {
    ($($(#[$doc:meta])* $name:ident = $message:literal;)*) => {
        /// Why Wasm trapped. A call that traps returns an [`Error`](crate::Error) in which a downcast finds this.
        ///
        /// ```
        /// use upshift::{Engine, Instance, Module, Store, Trap, WasmBacktrace};
        ///
        /// # fn main() -> upshift::Result<()> {
        /// let engine = Engine::default();
        /// let module = Module::new(&engine, r#"(module (func $oops (export "f") unreachable))"#)?;
        /// let mut store = Store::new(&engine, ());
        /// let instance = Instance::new(&mut store, &module, &[])?;
        /// let f = instance.get_typed_func::<(), ()>(&mut store, "f")?;
        /// let error = f.call(&mut store, ()).unwrap_err();
        /// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::UnreachableCodeReached));
        /// let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
        /// assert_eq!(backtrace.frames()[0].func_name(), Some("oops"));
        /// # Ok(())
        /// # }
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum Trap {
            $($(#[$doc])* $name,)*
        }

        impl Trap {
            /// Every trap.
            pub const ALL: &'static [Trap] = &[$(Trap::$name,)*];

            /// The message, without the prefix that `Display` puts before it.
            pub fn message(self) -> &'static str {
                match self {
                    $(Trap::$name => $message,)*
                }
            }
        }
    };
}

traps! {
    /// The stack limit was reached: too deep a recursion.
    StackOverflow = "call stack exhausted";
    /// A load, store or bulk operation left its memory, or its data segment.
    MemoryOutOfBounds = "out of bounds memory access";
    /// An atomic access was not aligned.
    HeapMisaligned = "unaligned atomic";
    /// A table access or an indirect call left its table, or its element segment.
    TableOutOfBounds = "undefined element: out of bounds table access";
    /// An indirect call found a null element.
    IndirectCallToNull = "uninitialized element";
    /// An indirect call found a function of another type.
    BadSignature = "indirect call type mismatch";
    /// A signed division, remainder or conversion whose result has no representation.
    IntegerOverflow = "integer overflow";
    /// A division or remainder by zero.
    IntegerDivisionByZero = "integer divide by zero";
    /// A float that is no number was converted to an integer.
    BadConversionToInteger = "invalid conversion to integer";
    /// An `unreachable` instruction was executed.
    UnreachableCodeReached = "wasm `unreachable` instruction executed";
    /// The epoch reached the store's deadline.
    Interrupt = "interrupt";
    /// All fuel of the store was consumed.
    OutOfFuel = "all fuel consumed by WebAssembly";
    /// A null reference was called or dereferenced.
    NullReference = "null reference";
    /// A function could not be compiled at its first call. (Calls report this with a
    /// [`CompileError`](crate::CompileError) that says why.)
    CompilationFailed = "function could not be compiled";
    /// An import that was left undefined on request was called.
    UndefinedImport = "undefined import called";
}

impl Trap {
    /// The runtime's word for it.
    #[allow(clippy::unnecessary_wraps)] // Traps that only a host can raise will have none.
    pub(crate) fn reason(self) -> Option<TrapReason> {
        Some(match self {
            Trap::StackOverflow => TrapReason::StackOverflow,
            Trap::MemoryOutOfBounds => TrapReason::MemoryOutOfBounds,
            Trap::HeapMisaligned => TrapReason::UnalignedAtomic,
            Trap::TableOutOfBounds => TrapReason::TableOutOfBounds,
            Trap::IndirectCallToNull => TrapReason::UninitializedElement,
            Trap::BadSignature => TrapReason::IndirectCallTypeMismatch,
            Trap::IntegerOverflow => TrapReason::IntegerOverflow,
            Trap::IntegerDivisionByZero => TrapReason::IntegerDivideByZero,
            Trap::BadConversionToInteger => TrapReason::InvalidConversionToInteger,
            Trap::UnreachableCodeReached => TrapReason::Unreachable,
            Trap::Interrupt => TrapReason::Interrupt,
            Trap::OutOfFuel => TrapReason::OutOfFuel,
            Trap::NullReference => TrapReason::NullReference,
            Trap::CompilationFailed => TrapReason::CompilationFailed,
            Trap::UndefinedImport => TrapReason::UndefinedImport,
        })
    }
}

impl From<TrapReason> for Trap {
    fn from(reason: TrapReason) -> Trap {
        match reason {
            TrapReason::StackOverflow => Trap::StackOverflow,
            TrapReason::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
            TrapReason::UnalignedAtomic => Trap::HeapMisaligned,
            TrapReason::TableOutOfBounds | TrapReason::UndefinedElement => Trap::TableOutOfBounds,
            TrapReason::UninitializedElement => Trap::IndirectCallToNull,
            TrapReason::IndirectCallTypeMismatch => Trap::BadSignature,
            TrapReason::IntegerOverflow => Trap::IntegerOverflow,
            TrapReason::IntegerDivideByZero => Trap::IntegerDivisionByZero,
            TrapReason::InvalidConversionToInteger => Trap::BadConversionToInteger,
            TrapReason::Interrupt => Trap::Interrupt,
            TrapReason::OutOfFuel => Trap::OutOfFuel,
            TrapReason::NullReference => Trap::NullReference,
            TrapReason::CompilationFailed => Trap::CompilationFailed,
            TrapReason::UndefinedImport => Trap::UndefinedImport,
            // The list is open to other crates; a test sees to it that only `Unreachable` comes here.
            _ => Trap::UnreachableCodeReached,
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wasm trap: {}", self.message())
    }
}

impl std::error::Error for Trap {}

/// The Wasm functions that were active when an error happened, innermost first. It is a context of that error, found by
/// [`Error::downcast_ref`](crate::Error::downcast_ref), unless [`Config::wasm_backtrace`](crate::Config::wasm_backtrace)
/// is off.
#[derive(Clone, Debug)]
pub struct WasmBacktrace {
    frames: Vec<FrameInfo>,
}

impl WasmBacktrace {
    pub(crate) fn new(backtrace: Backtrace, engine: &Engine) -> WasmBacktrace {
        let frames = backtrace.frames.into_iter();
        WasmBacktrace {
            frames: frames
                .map(|frame| FrameInfo {
                    module: Module::from_native(engine, frame.module),
                    function: frame.function.0,
                    offset: frame.offset,
                })
                .collect(),
        }
    }

    /// The Wasm functions that are active in a store: those that led to the host function that asks. None outside of a call,
    /// or when [`Config::wasm_backtrace`](crate::Config::wasm_backtrace) is off.
    ///
    /// ```
    /// use upshift::{Caller, Engine, Func, Instance, Module, Store, WasmBacktrace};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let depth = Func::wrap(&mut store, |caller: Caller<'_, ()>| WasmBacktrace::capture(&caller).frames().len() as i32);
    /// let module = Module::new(
    ///     &engine,
    ///     r#"(module
    ///         (import "" "depth" (func $depth (result i32)))
    ///         (func $inner (result i32) (call $depth))
    ///         (func (export "outer") (result i32) (call $inner)))"#,
    /// )?;
    /// let instance = Instance::new(&mut store, &module, &[depth.into()])?;
    /// assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "outer")?.call(&mut store, ())?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn capture(store: impl AsContext) -> WasmBacktrace {
        let store = store.as_context();
        if !store.0.runtime.environment().backtraces {
            return WasmBacktrace { frames: Vec::new() };
        }
        WasmBacktrace::force_capture(store)
    }

    /// Like [`WasmBacktrace::capture`], whatever the configuration says.
    pub fn force_capture(store: impl AsContext) -> WasmBacktrace {
        let store = store.as_context();
        WasmBacktrace::new(runtime::frames::capture(&store.0.runtime), &store.0.engine)
    }

    /// The active functions, innermost first.
    pub fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }
}

/// Frames shown from the innermost end of a deep backtrace.
const SHOWN_FIRST: usize = 20;

/// Frames shown from its outermost end.
const SHOWN_LAST: usize = 5;

impl fmt::Display for WasmBacktrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error while executing at wasm backtrace:")?;
        // Of a recursion that went too deep, both ends tell all there is to know.
        let left_out = self.frames.len().saturating_sub(SHOWN_FIRST + SHOWN_LAST);
        for (position, frame) in self.frames.iter().enumerate() {
            if left_out > 1 && position == SHOWN_FIRST {
                write!(f, "\n       ... {left_out} more frames ...")?;
            }
            if left_out <= 1 || !(SHOWN_FIRST..SHOWN_FIRST + left_out).contains(&position) {
                write!(f, "\n  {position:>3}: {frame}")?;
            }
        }
        Ok(())
    }
}

/// One active function of a [`WasmBacktrace`].
#[derive(Clone)]
pub struct FrameInfo {
    module: Module,
    function: u32,
    offset: Option<u32>,
}

impl FrameInfo {
    /// The function's module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The function's index in its module, imported functions included.
    pub fn func_index(&self) -> u32 {
        self.function
    }

    /// The function's name in the name section.
    pub fn func_name(&self) -> Option<&str> {
        self.module.native().info().function_name(self.module.wire_bytes(), self.function_index())
    }

    /// The module's name in the name section.
    pub fn module_name(&self) -> Option<&str> {
        self.module.name()
    }

    /// Where the function stood: bytes from the start of the module to the instruction.
    pub fn module_offset(&self) -> Option<usize> {
        Some(self.offset? as usize)
    }

    /// Where the function stood: bytes from the start of its body to the instruction.
    pub fn func_offset(&self) -> Option<usize> {
        let defined = self.module.native().info().defined_func_index(self.function_index())?;
        self.module_offset()?.checked_sub(self.module.native().info().bodies.get(defined.index())?.start)
    }

    fn function_index(&self) -> wasm::types::FuncIndex {
        wasm::types::FuncIndex(self.function)
    }
}

impl fmt::Display for FrameInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(offset) = self.module_offset() {
            write!(f, "{offset:#8x} - ")?;
        }
        write!(f, "{}!", Name(self.module_name().unwrap_or("<unknown>")))?;
        match self.func_name() {
            Some(name) => Name(name).fmt(f),
            None => write!(f, "<wasm function {}>", self.function),
        }
    }
}

/// A name from a module, which may hold anything, as it is shown: characters that would steer a terminal or break the
/// line are escaped.
struct Name<'a>(&'a str);

/// What `escape_debug` escapes only for the sake of a literal's quotes.
const UNESCAPED: [char; 3] = ['"', '\'', '\\'];

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(UNESCAPED) {
            let text = part.trim_end_matches(UNESCAPED);
            write!(f, "{}{}", text.escape_debug(), &part[text.len()..])?;
        }
        Ok(())
    }
}

impl fmt::Debug for FrameInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameInfo")
            .field("func_index", &self.function)
            .field("func_name", &self.func_name())
            .field("module_offset", &self.module_offset())
            .finish_non_exhaustive()
    }
}
