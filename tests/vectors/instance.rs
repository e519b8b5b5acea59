//! A compiled module with nothing but functions and a memory, and what it needs to run.

use std::mem::offset_of;

use abi::compiler::{Compiler, ModuleEnv, Request, Settings};
use abi::layout::{InstanceHeader, InstanceLayout, MemoryDefinition, Place, StoreContext};
use abi::memory::MemoryStyle;
use wasm::decode::stream::decode_and_validate;
use wasm::features::Features;
use wasm::limits::Limits;
use wasm::module::ModuleInfo;
use wasm::types::{DefinedFuncIndex, FuncType, MemoryIndex};

use crate::abi::machine::Placed;

/// Bytes of the memory: a page.
const MEMORY: usize = 1 << 16;

/// An instance, all its functions compiled.
pub struct Instance {
    info: ModuleInfo,
    /// The functions, then an entry stub for each of them.
    code: Placed,
    context: Vec<u128>,
    _parts: Parts,
}

/// What the instance context points to.
type Parts = (Box<StoreContext>, Box<[*const u8]>, Box<[u32]>, Box<[u8]>);

impl Instance {
    /// Compiles a module whose memory is filled with bytes that are all different nearby.
    pub fn new(compiler: &dyn Compiler, bytes: &[u8], settings: Settings) -> Instance {
        let info =
            decode_and_validate(bytes, &Features::SUPPORTED, &Limits::default(), 1).expect("the module is valid");
        let layout = InstanceLayout::new(&info);
        let memories = [MemoryStyle::Checked];
        let module = ModuleEnv { info: &info, wire_bytes: bytes, layout: &layout, memories: &memories, settings };
        let count = info.bodies.len();
        let mut pieces = Vec::new();
        for index in 0..count {
            let code = compiler.compile(&Request::new(&module, DefinedFuncIndex::new(index)));
            pieces.push(code.unwrap_or_else(|error| panic!("function {index}: {error}")).bytes);
        }
        for index in 0..count {
            let stub = compiler.entry_stub(function_type(&info, index)).expect("within every limit");
            pieces.push(stub.bytes);
        }
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let code = Placed::new(&pieces);

        let store = Box::new(StoreContext::default());
        let table: Box<[*const u8]> = (0..count).map(|index| code.address(index)).collect();
        let type_ids: Box<[u32]> = (0..).take(info.types.len()).collect();
        let memory: Box<[u8]> = (0..MEMORY).map(|at| (at * 167 + at / 256) as u8).collect();
        let mut context = vec![0u128; layout.size().div_ceil(16) as usize + 1];
        let mut put = |at: usize, value: u64| context[at / 16] |= u128::from(value) << (at % 16 * 8);
        put(offset_of!(InstanceHeader, store), address(&*store));
        put(offset_of!(InstanceHeader, code_table), address(table.as_ptr()));
        put(offset_of!(InstanceHeader, type_ids), address(type_ids.as_ptr()));
        let Place::Defined(definition) = layout.memory(MemoryIndex(0)) else { panic!("the memory is defined") };
        put(definition as usize + offset_of!(MemoryDefinition, base), address(memory.as_ptr()));
        put(definition as usize + offset_of!(MemoryDefinition, length), MEMORY as u64);
        Instance { info, code, context, _parts: (store, table, type_ids, memory) }
    }

    /// Calls a function and gives its results, whatever is in their slots above them.
    pub fn call(&self, index: usize, operands: &[u128]) -> Vec<u128> {
        let ty = function_type(&self.info, index);
        let mut values = operands.to_vec();
        values.resize(ty.params().len().max(ty.results().len()).max(1), 0);
        let stub = self.code.address(self.info.bodies.len() + index);
        // SAFETY: the piece is the entry stub for the function's type, which is such a C function; `values` has a slot for
        // every parameter and result; the context has what the functions use: the store's stack limit, the code table and
        // a memory, which they access where it is, with bounds checked. All of it lives as long as `self`.
        unsafe {
            let stub: extern "sysv64" fn(*const u8, *const u128, *mut u128) = std::mem::transmute(stub);
            stub(self.code.address(index), self.context.as_ptr(), values.as_mut_ptr());
        }
        values.truncate(ty.results().len());
        values
    }
}

fn function_type(info: &ModuleInfo, index: usize) -> &FuncType {
    info.func_type(info.func_index(DefinedFuncIndex::new(index)))
}

/// An address that machine code will use.
fn address<T>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}
