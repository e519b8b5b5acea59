//! Modules in which a function of one type calls a function of another, and the instance context to run them with.

use std::fmt::Write;
use std::iter;
use std::mem::offset_of;

use abi::compiler::{Compiler, ModuleEnv, Request, Settings};
use abi::layout::{FuncImport, FuncRef, InstanceHeader, InstanceLayout, Place, StoreContext, TableDefinition};
use wasm::module::ModuleInfo;
use wasm::types::{DefinedFuncIndex, FuncIndex, FuncType, TableIndex, ValType};

use super::signatures::Random;

/// Where an operand comes from.
#[derive(Clone, Copy)]
pub enum Source {
    /// From the parameter with this number.
    Param(usize),
    /// From a constant with these bits.
    Constant(u128),
}

/// How the compiled function reaches the hand-written one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// It does not call: its results are its parameters, or constants.
    Leaf,
    /// By `call` of an import.
    Import,
    /// By `call_indirect` of an element of its table.
    Table,
    /// By `return_call` of an import.
    TailImport,
    /// By `return_call_indirect` of an element of its table.
    TailTable,
}

impl Reach {
    /// Every way.
    pub const ALL: [Reach; 5] = [Reach::Leaf, Reach::Import, Reach::Table, Reach::TailImport, Reach::TailTable];

    fn is_tail(self) -> bool {
        matches!(self, Reach::TailImport | Reach::TailTable)
    }
}

/// A compiled function that calls a hand-written one.
pub struct Program {
    /// Type of the compiled function.
    pub outer: FuncType,
    /// Type of the function it calls.
    pub inner: FuncType,
    /// What it passes; or, for a leaf, what it returns.
    pub operands: Vec<Source>,
    /// For each of its results, which result of the callee that is.
    pub results: Vec<usize>,
    /// How it calls.
    pub reach: Reach,
}

impl Program {
    /// A function with parameters `params` that calls one of type `inner`, in random ways.
    pub fn new(params: &[ValType], inner: FuncType, reach: Reach, random: &mut Random) -> Program {
        let wanted = if reach == Reach::Leaf { inner.results() } else { inner.params() };
        let operands = wanted.iter().map(|&ty| source(ty, params, random)).collect();
        let results = match reach {
            Reach::Leaf | Reach::TailImport | Reach::TailTable => (0..inner.results().len()).collect(),
            Reach::Import | Reach::Table => random.permutation(inner.results().len()),
        };
        let types: Vec<ValType> = results.iter().map(|&index| inner.results()[index]).collect();
        Program { outer: FuncType::new(params, types), inner, operands, results, reach }
    }

    fn text(&self) -> String {
        let mut text = String::from("(module\n");
        write_type(&mut text, "inner", &self.inner);
        write_type(&mut text, "outer", &self.outer);
        text += "(import \"\" \"inner\" (func $inner (type $inner)))\n(table 1 1 funcref)\n(func (type $outer)\n";
        for &ty in self.inner.results() {
            text += &format!("(local {})", name(ty));
        }
        for (&source, &ty) in iter::zip(&self.operands, self.wanted()) {
            text += &match source {
                Source::Param(index) => format!("local.get {index}\n"),
                Source::Constant(bits) => constant(ty, bits),
            };
        }
        text += match self.reach {
            Reach::Leaf => "",
            Reach::Import => "call $inner\n",
            Reach::Table => "i32.const 0 call_indirect (type $inner)\n",
            Reach::TailImport => "return_call $inner\n",
            Reach::TailTable => "i32.const 0 return_call_indirect (type $inner)\n",
        };
        if self.reach != Reach::Leaf && !self.reach.is_tail() {
            let first = self.outer.params().len();
            (0..self.results.len()).rev().for_each(|index| text += &format!("local.set {}\n", first + index));
            self.results.iter().for_each(|index| text += &format!("local.get {}\n", first + index));
        }
        text + "))"
    }

    fn wanted(&self) -> &[ValType] {
        if self.reach == Reach::Leaf { self.inner.results() } else { self.inner.params() }
    }

    /// Compiles the function.
    pub fn compile(&self, compiler: &dyn Compiler) -> Compiled {
        let bytes = wat::parse_str(self.text()).expect("the text is well-formed");
        let info = super::decode(&bytes);
        let layout = InstanceLayout::new(&info);
        let settings = Settings { verify: true, ..Settings::default() };
        let module = ModuleEnv { info: &info, wire_bytes: &bytes, layout: &layout, memories: &[], settings };
        let code = compiler.compile(&Request::new(&module, DefinedFuncIndex(0))).expect("within every limit").bytes;
        Compiled { code, info, layout }
    }
}

/// The function's code, and what its instance context is made from.
pub struct Compiled {
    /// Machine code.
    pub code: Vec<u8>,
    info: ModuleInfo,
    layout: InstanceLayout,
}

impl Compiled {
    /// An instance whose callee is the code at `callee`, to be called with `context`.
    pub fn instance(&self, callee: *const u8, context: u64) -> Instance {
        let context = std::ptr::with_exposed_provenance_mut::<u8>(context as usize);
        let callee = Box::new(callee);
        let slot: *const *const u8 = &*callee;
        let mut function = Box::new(FuncRef { slot, distance: 0, type_id: CANONICAL, is_host: 0 });
        function.distance = FuncRef::distance_to(&raw const *function, context);
        let element = Box::new(std::ptr::from_ref(&*function));
        let store = Box::new(StoreContext::default());
        // Both types of the module have the same canonical id when they are equal; the callee's is what counts.
        let type_ids = vec![CANONICAL; self.info.types.len()];
        let mut memory = vec![0u128; self.layout.size().div_ceil(16) as usize + 1];
        let mut put = |at: usize, address: u64| {
            let (slot, shift) = (at / 16, at % 16 * 8);
            memory[slot] |= u128::from(address) << shift;
        };
        put(offset_of!(InstanceHeader, store), address(&*store));
        put(offset_of!(InstanceHeader, type_ids), address(type_ids.as_ptr()));
        let import = self.layout.func_import(FuncIndex(0)) as usize;
        put(import + offset_of!(FuncImport, slot), address(slot));
        put(import + offset_of!(FuncImport, vmctx), address(context));
        let Place::Defined(table) = self.layout.table(TableIndex(0)) else { panic!("the table is defined") };
        put(table as usize + offset_of!(TableDefinition, base), address(&*element));
        put(table as usize + offset_of!(TableDefinition, length), 1);
        Instance { memory, _parts: (callee, function, element, store, type_ids) }
    }
}

/// The canonical id that all types of the module get here.
const CANONICAL: u32 = 7;

/// What an instance context points to, to be kept as long as it is in use.
type Parts = (Box<*const u8>, Box<FuncRef>, Box<*const FuncRef>, Box<StoreContext>, Vec<u32>);

/// An instance context with all it points to.
pub struct Instance {
    memory: Vec<u128>,
    _parts: Parts,
}

impl Instance {
    /// The context's address.
    pub fn address(&self) -> u64 {
        address(self.memory.as_ptr())
    }
}

/// An address that machine code will use.
fn address<T>(pointer: *const T) -> u64 {
    pointer.expose_provenance() as u64
}

/// A parameter of this type, or a constant if there is none.
fn source(ty: ValType, params: &[ValType], random: &mut Random) -> Source {
    let matching: Vec<usize> = (0..params.len()).filter(|&index| params[index] == ty).collect();
    match matching.is_empty() || random.below(8) == 0 {
        true if ty.is_ref() => Source::Constant(0),
        true => Source::Constant(random.value()),
        false => Source::Param(matching[random.below(matching.len())]),
    }
}

fn write_type(text: &mut String, label: &str, ty: &FuncType) {
    write!(text, "(type ${label} (func").expect("strings grow");
    for (kind, types) in [("param", ty.params()), ("result", ty.results())] {
        types.iter().for_each(|&ty| *text += &format!(" ({kind} {})", name(ty)));
    }
    *text += "))\n";
}

fn name(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "i32",
        ValType::I64 => "i64",
        ValType::F32 => "f32",
        ValType::F64 => "f64",
        ValType::V128 => "v128",
        ValType::Ref(_) if super::bits(ty) == 64 => "funcref",
        ValType::Ref(_) => "externref",
    }
}

/// An instruction that pushes these bits. Floats come by way of integers, so that every bit arrives.
fn constant(ty: ValType, bits: u128) -> String {
    match ty {
        ValType::I32 => format!("i32.const {}\n", bits as i32),
        ValType::I64 => format!("i64.const {}\n", bits as i64),
        ValType::F32 => format!("i32.const {} f32.reinterpret_i32\n", bits as i32),
        ValType::F64 => format!("i64.const {} f64.reinterpret_i64\n", bits as i64),
        ValType::V128 => format!("v128.const i64x2 {} {}\n", bits as i64, (bits >> 64) as i64),
        ValType::Ref(_) if super::bits(ty) == 64 => "ref.null func\n".into(),
        ValType::Ref(_) => "ref.null extern\n".into(),
    }
}
