//! Upshift: a WebAssembly engine to embed.
//!
//! The names and shapes are those of `wasmtime`, so most programs move here by changing a dependency's name.
//!
//! ```
//! use upshift::{Caller, Engine, Linker, Module, Store};
//!
//! # fn main() -> upshift::Result<()> {
//! let engine = Engine::default();
//! let module = Module::new(
//!     &engine,
//!     r#"(module
//!         (import "host" "log" (func $log (param i32)))
//!         (func (export "run") (call $log (i32.const 42))))"#,
//! )?;
//! let mut linker = Linker::new(&engine);
//! linker.func_wrap("host", "log", |mut caller: Caller<'_, Vec<i32>>, n: i32| caller.data_mut().push(n))?;
//! let mut store = Store::new(&engine, Vec::new());
//! let instance = linker.instantiate(&mut store, &module)?;
//! instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
//! assert_eq!(*store.data(), [42]);
//! # Ok(())
//! # }
//! ```
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "the caller is known by its context")]
mod caller;
mod compile_options;
mod config;
mod engine;
mod error;
mod externals;
#[allow(unsafe_code, reason = "calls, and the type behind a reference")]
mod func;
mod global;
#[allow(unsafe_code, reason = "the runtime gives the store back by address")]
mod handle;
#[allow(unsafe_code, reason = "shims get their closure and values from the runtime by address")]
mod host_func;
mod instance;
#[allow(unsafe_code, reason = "the runtime gives the store back by address")]
mod limits;
mod linker;
#[allow(unsafe_code, reason = "a memory and its store are lent at once")]
mod memory;
mod module;
#[cfg(feature = "prometheus")]
pub mod prometheus;
mod script;
#[allow(unsafe_code, reason = "the runtime gives the store back by address")]
mod store;
mod streaming;
mod table;
mod trap;
#[allow(unsafe_code, reason = "calls through a stub")]
mod typed_func;
mod types;
#[allow(unsafe_code, reason = "references travel as addresses")]
mod values;
#[allow(unsafe_code, reason = "values are read and written in slots")]
mod wasm_ty;

pub use crate::engine::{
    CacheStatistics, CodeGcStatistics, Distribution, Engine, EngineStatistics, EngineWeak, MemoryUsage, Metric,
    MetricValue, MetricsSnapshot, ModuleMemoryUsage, StoreMemoryUsage, StubStatistics, TieringStatistics, Unit,
};
pub use ::engine::events::{
    Answer as CodeGcAnswer, CacheOutcome, Cause, CodeGcStep, CompileMethod, Event, EventKind, EventLog, FieldValue,
    Listener as EventListener, ModuleNumber, Outcome, StoreNumber, StreamStep, thread_number,
};
pub use ::engine::log::jitdump::JitDump;
pub use ::engine::log::perf_map::PerfMap;
pub use ::engine::log::{CodeListener, CreatedCode};
pub use ::engine::pool::{Label, ManualPool, Pending, Pool, Task, ThreadPool, Urgency};
pub use caller::Caller;
pub use compile_options::{Builtin, BuiltinSet, BuiltinType, CompileOptions, CompileTimeImport};
pub use config::{Config, ProfilingStrategy, Strategy, TierChoice};
#[doc(hidden)]
pub use error::macros as error_macros;
pub use error::{
    Chain, CompileError, CompileErrorKind, Context, Error, ErrorClass, ErrorThrower, LinkError, LinkErrorKind, Result,
    RuntimeError, RuntimeErrorKind, Thrown, UnknownImportError, UsageError, UsageErrorKind, nearest_name,
};
pub use externals::{Export, Extern};
pub use func::{Func, IntoFunc, WasmParams, WasmResults, WasmRet, WasmTy};
pub use global::Global;
pub use handle::StoreHandle;
pub use instance::{Instance, InstancePre};
pub use limits::{
    DEFAULT_INSTANCE_LIMIT, DEFAULT_MEMORY_LIMIT, DEFAULT_TABLE_LIMIT, ResourceLimiter, StoreLimits, StoreLimitsBuilder,
};
pub use linker::Linker;
pub use memory::{Memory, MemoryAccessError};
pub use module::{
    CodeInfo, FunctionInfo, Module, ModuleExport, ModuleFuture, ModuleStatistics, ResourcesRequired, Tier,
    TierStatistics,
};
pub use script::{DebuggerHook, Script, ScriptId};
pub use store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut, UpdateDeadline};
pub use streaming::StreamingCompilation;
pub use table::Table;
pub use trap::{FrameInfo, Trap, WasmBacktrace};
pub use typed_func::TypedFunc;
pub use types::{
    ExportType, ExternType, FuncType, GlobalType, HeapType, ImportType, MemoryType, MemoryTypeBuilder, Mutability,
    RefType, TableType, ValType,
};
pub use values::{ExternRef, Ref, Rooted, V128, Val};
