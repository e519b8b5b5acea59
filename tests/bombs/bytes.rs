//! Modules as bytes: small functions that give instructions, and the sections around them.

/// `i32`.
pub const I32: u8 = 0x7f;
/// `i64`.
pub const I64: u8 = 0x7e;
/// `v128`.
pub const V128: u8 = 0x7b;
/// The block type without parameters and results.
pub const EMPTY: u8 = 0x40;

/// Instructions without immediates.
pub const ELSE: &[u8] = &[0x05];
pub const END: &[u8] = &[0x0b];
pub const DROP: &[u8] = &[0x1a];
pub const I32_EQZ: &[u8] = &[0x45];
pub const I32_ADD: &[u8] = &[0x6a];
pub const I32X4_ADD: &[u8] = &[0xfd, 0xae, 0x01];

/// An unsigned number.
pub fn unsigned(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// An opcode with one unsigned immediate.
fn with(opcode: u8, immediate: usize) -> Vec<u8> {
    let mut bytes = vec![opcode];
    bytes.extend(unsigned(immediate as u64));
    bytes
}

/// `i32.const`, of a number that is not negative.
pub fn constant(value: usize) -> Vec<u8> {
    let mut bytes = with(0x41, value);
    // The highest bit of the last byte's seven is the sign.
    let last = bytes.pop().unwrap_or(0);
    if last & 0x40 == 0 {
        bytes.push(last)
    } else {
        bytes.extend([last | 0x80, 0])
    }
    bytes
}

/// `local.get`.
pub fn get(local: usize) -> Vec<u8> {
    with(0x20, local)
}

/// `local.set`.
pub fn set(local: usize) -> Vec<u8> {
    with(0x21, local)
}

/// `local.tee`.
pub fn tee(local: usize) -> Vec<u8> {
    with(0x22, local)
}

/// `br`.
pub fn br(depth: usize) -> Vec<u8> {
    with(0x0c, depth)
}

/// `br_if`.
pub fn br_if(depth: usize) -> Vec<u8> {
    with(0x0d, depth)
}

/// `br_table` with these targets, the last of which is the default.
pub fn br_table(targets: &[usize]) -> Vec<u8> {
    let mut bytes = with(0x0e, targets.len() - 1);
    targets.iter().for_each(|&target| bytes.extend(unsigned(target as u64)));
    bytes
}

/// `call`.
pub fn call(function: usize) -> Vec<u8> {
    with(0x10, function)
}

/// `call_indirect` through the one table.
pub fn call_indirect(ty: usize) -> Vec<u8> {
    let mut bytes = with(0x11, ty);
    bytes.push(0);
    bytes
}

/// `block` of a block type of one byte: a value type, [`EMPTY`] or the index of a small type.
pub fn block(ty: u8) -> Vec<u8> {
    vec![0x02, ty]
}

/// `loop`.
pub fn looped(ty: u8) -> Vec<u8> {
    vec![0x03, ty]
}

/// `if`.
pub fn branch(ty: u8) -> Vec<u8> {
    vec![0x04, ty]
}

/// A memory instruction with a natural alignment (as its logarithm) and an offset.
pub fn access(opcode: u8, alignment: u8, offset: u64) -> Vec<u8> {
    let mut bytes = vec![opcode, alignment];
    bytes.extend(unsigned(offset));
    bytes
}

/// The same instructions many times.
pub fn times(count: usize, code: &[&[u8]]) -> Vec<u8> {
    code.concat().repeat(count)
}

/// Instructions made for each number below `count`.
pub fn each(count: usize, code: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    (0..count).flat_map(code).collect()
}

/// A function type.
pub fn function_type(params: &[u8], results: &[u8]) -> Vec<u8> {
    [vec![0x60], unsigned(params.len() as u64), params.to_vec(), unsigned(results.len() as u64), results.to_vec()]
        .concat()
}

/// A module under construction.
#[derive(Clone, Default)]
pub struct Builder {
    types: Vec<Vec<u8>>,
    functions: Vec<(usize, Vec<u8>)>,
    memory64: bool,
}

impl Builder {
    /// A module with these types.
    pub fn new(types: &[Vec<u8>]) -> Builder {
        Builder { types: types.to_vec(), ..Builder::default() }
    }

    /// Gives it a memory with 64-bit indices rather than 32-bit ones.
    pub fn memory64(mut self) -> Builder {
        self.memory64 = true;
        self
    }

    /// Adds a function with groups of locals.
    pub fn function(mut self, ty: usize, locals: &[(usize, u8)], code: &[u8]) -> Builder {
        let mut body = unsigned(locals.len() as u64);
        for &(count, ty) in locals {
            body.extend(unsigned(count as u64));
            body.push(ty);
        }
        body.extend(code);
        body.extend(END);
        self.functions.push((ty, body));
        self
    }

    /// The module. It exports its last function as `run`, has a memory of a page, and a table with its first function.
    pub fn finish(&self) -> Vec<u8> {
        let list = |items: Vec<Vec<u8>>| [unsigned(items.len() as u64), items.concat()].concat();
        let sized = |bytes: &[u8]| [unsigned(bytes.len() as u64), bytes.to_vec()].concat();
        let last = self.functions.len() as u64 - 1;
        let sections = [
            (1, list(self.types.clone())),
            (3, list(self.functions.iter().map(|&(ty, _)| unsigned(ty as u64)).collect())),
            (4, vec![1, 0x70, 0, 1]),
            (5, vec![1, if self.memory64 { 4 } else { 0 }, 1]),
            (7, [b"\x01\x03run\x00".to_vec(), unsigned(last)].concat()),
            (9, vec![1, 0, 0x41, 0, 0x0b, 1, 0]),
            (10, list(self.functions.iter().map(|(_, body)| sized(body)).collect())),
        ];
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        for (id, contents) in sections {
            module.push(id);
            module.extend(sized(&contents));
        }
        module
    }
}

/// A module of one function, of type 0 of the types.
pub fn module(types: &[Vec<u8>], locals: &[(usize, u8)], code: &[u8]) -> Vec<u8> {
    Builder::new(types).function(0, locals, code).finish()
}
