//! `RuntimeError`: what went wrong while running or setting up, and is no trap: memory, limits, the system.

use std::fmt;

use runtime::error::ResourceError;

use super::Error;
use super::messages::{self, RuntimeErrorKind};

/// Something that a store, an instance or an engine needs could not be had.
///
/// ```
/// use upshift::{Engine, Memory, MemoryType, RuntimeError, RuntimeErrorKind, Store, StoreLimits, StoreLimitsBuilder};
///
/// let limits: StoreLimits = StoreLimitsBuilder::new().memory_size(1 << 20).build();
/// let mut store = Store::new(&Engine::default(), limits);
/// store.limiter(|limits| limits);
/// let error = Memory::new(&mut store, MemoryType::new(17, None)).unwrap_err();
/// let fault = error.downcast_ref::<RuntimeError>().unwrap();
/// assert_eq!(fault.kind(), RuntimeErrorKind::MemoryRefused);
/// assert_eq!(fault.kind().code(), "runtime.memory-refused");
/// ```
#[derive(Clone, Debug)]
pub struct RuntimeError {
    kind: RuntimeErrorKind,
    text: String,
}

impl RuntimeError {
    pub(super) fn new(kind: RuntimeErrorKind, text: String) -> RuntimeError {
        RuntimeError { kind, text }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> RuntimeErrorKind {
        self.kind
    }
}

impl RuntimeErrorKind {
    /// Is it about the size of something? The JavaScript interface throws a `RangeError` for these.
    pub fn is_range(self) -> bool {
        match self {
            RuntimeErrorKind::MemoryAllocation
            | RuntimeErrorKind::MemoryOverLimit
            | RuntimeErrorKind::MemoryRefused
            | RuntimeErrorKind::MemoryGrowth
            | RuntimeErrorKind::MemoryMaximum
            | RuntimeErrorKind::MemoryExhausted
            | RuntimeErrorKind::TableAllocation
            | RuntimeErrorKind::TableOverLimit
            | RuntimeErrorKind::TableRefused
            | RuntimeErrorKind::TableGrowth
            | RuntimeErrorKind::TableExhausted
            | RuntimeErrorKind::TooMany => true,
            RuntimeErrorKind::ForcedTrap
            | RuntimeErrorKind::ForcedTrapOnFailure
            | RuntimeErrorKind::UndefinedImport
            | RuntimeErrorKind::Cancelled
            | RuntimeErrorKind::EngineDropped
            | RuntimeErrorKind::ReadFile
            | RuntimeErrorKind::Machine
            | RuntimeErrorKind::System => false,
        }
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for RuntimeError {}

impl Error {
    /// In words, why the runtime could not make or grow something.
    pub(crate) fn from_resource(error: ResourceError) -> Error {
        use messages::runtime as make;
        let fault = match error {
            ResourceError::Limiter(error) => return Error::from_host(error),
            ResourceError::MemoryAllocation { bytes, error } => {
                return Error::new(error).context(make::memory_allocation(bytes));
            }
            ResourceError::MemoryRefused(bytes) => make::memory_refused(bytes),
            ResourceError::TableRefused(elements) => make::table_refused(elements),
            ResourceError::TooMany { what, most } => make::too_many(most, what),
            ResourceError::MemoryOverLimit { pages, page_size, limit } => {
                make::memory_over_limit(pages, page_size, limit)
            }
            ResourceError::TableOverLimit { elements, limit } => make::table_over_limit(elements, limit),
            ResourceError::TableAllocation(elements) => make::table_allocation(elements),
            ResourceError::MemoryMaximum(desired) => make::memory_maximum(desired),
            ResourceError::MemoryGrowth(desired) => make::memory_exhausted(desired),
            ResourceError::TableGrowth(desired) => make::table_exhausted(desired),
            // The list is open to other crates; whatever is added there gets its words here.
            _ => return Error::msg("a resource error of unknown kind"),
        };
        fault.into()
    }
}
