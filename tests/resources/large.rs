//! A large module, made of bytes: many functions, a table of some of them, and a memory with data.

/// Elements of its table.
pub const TABLE: usize = 1000;

/// Bytes of its data.
const DATA: usize = 40_000;

/// A module of a little more than `bytes` bytes. Modules of different salts have nothing in common but their types. The
/// export `run` adds up a value of the memory, its parameter, and what a function of the table makes of it.
pub fn module(bytes: usize, salt: usize) -> Vec<u8> {
    // In one piece, so that no heap of small holes is left behind.
    let (mut bodies, mut count) = (Vec::with_capacity(bytes + (64 << 10)), 0);
    while bodies.len() + DATA < bytes || count <= TABLE {
        let body = if count == 0 { run() } else { body(salt * 1_000_003 + count) };
        leb(&mut bodies, body.len());
        bodies.extend(body);
        count += 1;
    }
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // One type: i32 -> i32.
    section(&mut module, 1, &[1, 0x60, 1, 0x7f, 1, 0x7f]);
    let mut functions = Vec::new();
    leb(&mut functions, count);
    functions.resize(functions.len() + count, 0);
    section(&mut module, 3, &functions);
    let mut table = vec![1, 0x70, 0];
    leb(&mut table, TABLE);
    section(&mut module, 4, &table);
    section(&mut module, 5, &[1, 1, 32, 64]);
    section(&mut module, 7, b"\x01\x03run\0\0");
    let mut elements = vec![1, 0, 0x41, 0, 0x0b];
    leb(&mut elements, TABLE);
    (0..TABLE).for_each(|n| leb(&mut elements, n + 1));
    section(&mut module, 9, &elements);
    let mut code = Vec::new();
    leb(&mut code, count);
    code.append(&mut bodies);
    section(&mut module, 10, &code);
    let mut data = vec![1, 0, 0x41, 0, 0x0b];
    leb(&mut data, DATA);
    data.extend((0..DATA).map(|n| n as u8));
    section(&mut module, 11, &data);
    module
}

/// What `run` gives.
pub fn result(parameter: i32) -> i32 {
    // The byte at 7; and function 6 of the table adds its constant, which salt 0 makes 7.
    7 + parameter.wrapping_add(7)
}

/// `(i32.add (i32.load8_u (i32.const 7)) (call_indirect (local.get 0) (i32.const 6)))`
fn run() -> Vec<u8> {
    vec![0, 0x41, 7, 0x2d, 0, 0, 0x20, 0, 0x41, 6, 0x11, 0, 0, 0x6a, 0x0b]
}

/// Adds `number` to the parameter, among much that does nothing.
fn body(number: usize) -> Vec<u8> {
    let mut body = vec![1, 2, 0x7f];
    for step in 0..40 + number % 30 {
        // local 1 = (local 0 * constant) ^ local 2, every other time local 2
        body.extend([0x20, 0, 0x41]);
        signed(&mut body, (number * 31 + step) as i32);
        body.extend([0x6c, 0x20, 2, 0x73, 0x21, 1 + (step % 2) as u8]);
    }
    body.extend([0x20, 0, 0x41]);
    signed(&mut body, number as i32);
    body.extend([0x6a, 0x0b]);
    body
}

fn section(module: &mut Vec<u8>, id: u8, contents: &[u8]) {
    module.push(id);
    leb(module, contents.len());
    module.extend(contents);
}

fn leb(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn signed(out: &mut Vec<u8>, mut value: i32) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        let last = (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0);
        out.push(if last { byte } else { byte | 0x80 });
        if last {
            return;
        }
    }
}
