//! The few machine instructions that the stubs of this test are made of. Registers go by their hardware numbers.

/// Stack pointer.
pub const RSP: u8 = 4;
/// The one integer register that the convention uses for nothing: it holds the address of the record.
pub const RECORD: u8 = 11;
/// Registers that a callee must leave as they were: rbx rbp r12 r13 r14 r15.
pub const CALLEE_SAVED: [u8; 6] = [3, 5, 12, 13, 14, 15];
/// Integer registers that a callee may change: rax rcx rdx rsi rdi r8 r9 r10.
pub const CALLER_SAVED: [u8; 8] = [0, 1, 2, 6, 7, 8, 9, 10];
/// A vector register that holds neither arguments nor results.
pub const SPARE_VECTOR: u8 = 15;

/// Machine code in the making.
#[derive(Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// The code.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// `mov to, value`
    pub fn set(&mut self, to: u8, value: u64) {
        self.bytes.extend([0x48 | to >> 3, 0xb8 | to & 7]);
        self.bytes.extend(value.to_le_bytes());
    }

    /// `mov to, [base + offset]`, 64 bits
    pub fn load(&mut self, to: u8, base: u8, offset: i32) {
        self.bytes.extend([0x48 | rex(to, base), 0x8b]);
        self.memory(to, base, offset);
    }

    /// `mov [base + offset], from`, 64 bits
    pub fn store(&mut self, from: u8, base: u8, offset: i32) {
        self.bytes.extend([0x48 | rex(from, base), 0x89]);
        self.memory(from, base, offset);
    }

    /// `movups to, [base + offset]`
    pub fn load_vector(&mut self, to: u8, base: u8, offset: i32) {
        self.bytes.extend([rex(to, base), 0x0f, 0x10]);
        self.memory(to, base, offset);
    }

    /// `movups [base + offset], from`
    pub fn store_vector(&mut self, from: u8, base: u8, offset: i32) {
        self.bytes.extend([rex(from, base), 0x0f, 0x11]);
        self.memory(from, base, offset);
    }

    /// `push register`
    pub fn push(&mut self, register: u8) {
        self.bytes.extend([rex(0, register), 0x50 | register & 7]);
    }

    /// `pop register`
    pub fn pop(&mut self, register: u8) {
        self.bytes.extend([rex(0, register), 0x58 | register & 7]);
    }

    /// `sub rsp, bytes`
    pub fn lower_stack(&mut self, bytes: i32) {
        self.bytes.extend([0x48, 0x81, 0xec]);
        self.bytes.extend(bytes.to_le_bytes());
    }

    /// `call [base + offset]`
    pub fn call(&mut self, base: u8, offset: i32) {
        self.bytes.extend([rex(0, base), 0xff]);
        self.memory(2, base, offset);
    }

    /// `ret pop`
    pub fn ret(&mut self, pop: u16) {
        self.bytes.push(0xc2);
        self.bytes.extend(pop.to_le_bytes());
    }

    /// The operands: a register, and memory with a displacement of 32 bits.
    fn memory(&mut self, register: u8, base: u8, offset: i32) {
        self.bytes.push(0x80 | (register & 7) << 3 | base & 7);
        if base & 7 == RSP {
            self.bytes.push(0x24);
        }
        self.bytes.extend(offset.to_le_bytes());
    }
}

/// The prefix that carries the fourth bits of the register numbers.
fn rex(register: u8, base: u8) -> u8 {
    0x40 | register >> 3 << 2 | base >> 3
}

#[test]
fn the_encodings_are_the_processors() {
    let mut code = Encoder::default();
    code.set(11, 0x1122_3344_5566_7788);
    code.load(9, 4, 8);
    code.store(0, 11, -16);
    code.load_vector(15, 11, 32);
    code.store_vector(1, 12, 0);
    code.push(3);
    code.pop(15);
    code.lower_stack(24);
    code.call(11, 16);
    code.ret(32);
    let mut decoder = iced_x86::Decoder::with_ip(64, &code.bytes, 0, 0);
    let listing: Vec<String> = decoder.iter().map(|instruction| instruction.to_string()).collect();
    let expected = [
        "mov r11,1122334455667788h",
        "mov r9,[rsp+8]",
        "mov [r11-10h],rax",
        "movups xmm15,[r11+20h]",
        "movups [r12],xmm1",
        "push rbx",
        "pop r15",
        "sub rsp,18h",
        "call qword ptr [r11+10h]",
        "ret 20h",
    ];
    assert_eq!(listing, expected);
}
