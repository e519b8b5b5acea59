//! Calls.

use std::fmt;

use crate::types::{FuncIndex, TableIndex, TypeIndex};

/// An operator that calls a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// `call`
    Call(FuncIndex),
    /// `call_indirect`
    CallIndirect {
        /// The function type asked for.
        ty: TypeIndex,
        /// The table the function is taken from.
        table: TableIndex,
    },
    /// `return_call`
    ReturnCall(FuncIndex),
    /// `return_call_indirect`
    ReturnCallIndirect {
        /// The function type asked for.
        ty: TypeIndex,
        /// The table the function is taken from.
        table: TableIndex,
    },
    /// `call_ref`
    CallRef(TypeIndex),
    /// `return_call_ref`
    ReturnCallRef(TypeIndex),
}

impl Call {
    /// The name in the text format.
    pub fn name(&self) -> &'static str {
        match self {
            Call::Call(_) => "call",
            Call::CallIndirect { .. } => "call_indirect",
            Call::ReturnCall(_) => "return_call",
            Call::ReturnCallIndirect { .. } => "return_call_indirect",
            Call::CallRef(_) => "call_ref",
            Call::ReturnCallRef(_) => "return_call_ref",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Call::Call(func) | Call::ReturnCall(func) => write!(f, " {}", func.0),
            Call::CallIndirect { ty, table } | Call::ReturnCallIndirect { ty, table } => {
                if table.0 != 0 {
                    write!(f, " {}", table.0)?;
                }
                write!(f, " (type {})", ty.0)
            }
            Call::CallRef(ty) | Call::ReturnCallRef(ty) => write!(f, " {}", ty.0),
        }
    }
}
