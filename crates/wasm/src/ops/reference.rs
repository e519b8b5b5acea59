//! References and tables.

use std::fmt;

use crate::types::{ElemIndex, FuncIndex, HeapType, TableIndex};

/// An operator on references or tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reference {
    /// `ref.null`
    RefNull(HeapType),
    /// `ref.is_null`
    RefIsNull,
    /// `ref.func`
    RefFunc(FuncIndex),
    /// `ref.as_non_null`
    RefAsNonNull,
    /// `table.get`
    TableGet(TableIndex),
    /// `table.set`
    TableSet(TableIndex),
    /// `table.size`
    TableSize(TableIndex),
    /// `table.grow`
    TableGrow(TableIndex),
    /// `table.fill`
    TableFill(TableIndex),
    /// `table.copy`
    TableCopy {
        /// Written.
        dst: TableIndex,
        /// Read.
        src: TableIndex,
    },
    /// `table.init`
    TableInit {
        /// The segment read.
        elem: ElemIndex,
        /// The table written.
        table: TableIndex,
    },
    /// `elem.drop`
    ElemDrop(ElemIndex),
}

impl Reference {
    /// The name in the text format.
    pub fn name(&self) -> &'static str {
        match self {
            Reference::RefNull(_) => "ref.null",
            Reference::RefIsNull => "ref.is_null",
            Reference::RefFunc(_) => "ref.func",
            Reference::RefAsNonNull => "ref.as_non_null",
            Reference::TableGet(_) => "table.get",
            Reference::TableSet(_) => "table.set",
            Reference::TableSize(_) => "table.size",
            Reference::TableGrow(_) => "table.grow",
            Reference::TableFill(_) => "table.fill",
            Reference::TableCopy { .. } => "table.copy",
            Reference::TableInit { .. } => "table.init",
            Reference::ElemDrop(_) => "elem.drop",
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Reference::RefNull(heap) => write!(f, " {heap}"),
            Reference::RefIsNull | Reference::RefAsNonNull => Ok(()),
            Reference::RefFunc(func) => write!(f, " {}", func.0),
            Reference::TableGet(table)
            | Reference::TableSet(table)
            | Reference::TableSize(table)
            | Reference::TableGrow(table)
            | Reference::TableFill(table) => write!(f, " {}", table.0),
            Reference::TableCopy { dst, src } => write!(f, " {} {}", dst.0, src.0),
            Reference::TableInit { elem, table } => write!(f, " {} {}", table.0, elem.0),
            Reference::ElemDrop(elem) => write!(f, " {}", elem.0),
        }
    }
}
