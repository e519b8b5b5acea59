//! What an instance of a module will need.

use super::Module;

/// What an instance of a module needs besides its imports. See [`Module::resources_required`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourcesRequired {
    /// Memories that the module defines.
    pub num_memories: u32,
    /// The greatest initial size of those, in pages of the memory's page size; `None` without memories.
    pub max_initial_memory_size: Option<u64>,
    /// Tables that the module defines.
    pub num_tables: u32,
    /// The greatest initial size of those, in elements; `None` without tables.
    pub max_initial_table_size: Option<u64>,
}

impl Module {
    /// What each instance of the module allocates when it is made.
    ///
    /// ```
    /// use upshift::{Engine, Module};
    ///
    /// # fn main() -> upshift::Result<()> {
    /// let module = Module::new(&Engine::default(), "(module (memory 1) (memory 17 20) (table 5 funcref))")?;
    /// let required = module.resources_required();
    /// assert_eq!((required.num_memories, required.max_initial_memory_size), (2, Some(17)));
    /// assert_eq!((required.num_tables, required.max_initial_table_size), (1, Some(5)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn resources_required(&self) -> ResourcesRequired {
        let info = self.native().info();
        let memories = info.memories.iter().skip(info.num_imported_memories as usize);
        let tables = info.tables.iter().skip(info.num_imported_tables as usize);
        ResourcesRequired {
            num_memories: memories.len() as u32,
            max_initial_memory_size: memories.map(|memory| memory.min).max(),
            num_tables: tables.len() as u32,
            max_initial_table_size: tables.map(|table| table.min).max(),
        }
    }
}
