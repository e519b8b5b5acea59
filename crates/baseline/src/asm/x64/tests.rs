//! Every form is decoded by a decoder that is not ours and compared with what was asked for, written as text:
//! `lock add [r12+rax*8-128]:32, ebx`. Sizes of memory are compared where an instruction exists in several.

use iced_x86::{Decoder, DecoderOptions, Instruction, OpKind, Register};

use super::{Assembler, Gpr, Mem, Scale, Width, Xmm};

mod bits;
mod buffer;
mod integer;
mod label;
mod vector;

/// Where decoded code pretends to be.
const ORIGIN: u64 = 0x1000_0000;

fn gprs() -> impl Iterator<Item = Gpr> + Clone {
    (0..16).map(Gpr::new)
}

fn xmms() -> impl Iterator<Item = Xmm> + Clone {
    (0..16).map(Xmm::new)
}

const WIDTHS: [Width; 2] = [Width::W32, Width::W64];
const SCALES: [Scale; 4] = [Scale::X1, Scale::X2, Scale::X4, Scale::X8];
const DISPS: [i32; 11] = [0, 1, -1, 8, 127, -128, 128, -129, 0x1234_5678, i32::MAX, i32::MIN];
const IMMS: [i32; 11] = [0, 1, -1, 127, -128, 128, -129, 255, 0x1234_5678, i32::MAX, i32::MIN];

fn bits(width: Width) -> u32 {
    match width {
        Width::W32 => 32,
        Width::W64 => 64,
    }
}

/// The name of a register at 8, 16, 32 or 64 bits.
fn name(register: Gpr, bits: u32) -> String {
    const LEGACY: [&str; 8] = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
    let number = usize::from(register.number());
    match (LEGACY.get(number), bits) {
        (Some(name), 8) if number < 4 => format!("{}l", &name[..1]),
        (Some(name), 8) => format!("{name}l"),
        (Some(name), 16) => (*name).to_owned(),
        (Some(name), 32) => format!("e{name}"),
        (Some(name), _) => format!("r{name}"),
        (None, 8) => format!("r{number}l"),
        (None, 16) => format!("r{number}w"),
        (None, 32) => format!("r{number}d"),
        (None, _) => format!("r{number}"),
    }
}

fn of(register: Gpr, width: Width) -> String {
    name(register, bits(width))
}

fn vector(register: Xmm) -> String {
    format!("xmm{}", register.number())
}

/// Any memory operand with its text.
#[derive(Clone)]
struct Case {
    mem: Mem,
    text: String,
}

impl Case {
    fn new(base: Gpr, index: Option<(Gpr, Scale)>, disp: i32) -> Case {
        let mut text = format!("[{}", name(base, 64));
        if let Some((index, scale)) = index {
            text += &format!("+{}*{}", name(index, 64), 1 << scale as u8);
        }
        text += &format!("{disp:+}]");
        let mem = match index {
            Some((index, scale)) => Mem::indexed(base, index, scale, disp),
            None => Mem::base(base, disp),
        };
        Case { mem, text }
    }
}

/// All combinations of base, index, scale and displacement.
fn all_memory() -> Vec<Case> {
    let indexes = gprs().filter(|&index| index != Gpr::RSP).flat_map(|index| SCALES.map(|scale| Some((index, scale))));
    let indexes: Vec<_> = indexes.chain([None]).collect();
    gprs()
        .flat_map(|base| DISPS.map(|disp| (base, disp)))
        .flat_map(|(base, disp)| indexes.iter().map(move |&index| Case::new(base, index, disp)))
        .collect()
}

/// The ones that are encoded in different ways.
fn some_memory() -> Vec<Case> {
    let mut cases = Vec::new();
    for base in [Gpr::RAX, Gpr::RSP, Gpr::RBP, Gpr::RDI, Gpr::R8, Gpr::R12, Gpr::R13] {
        for disp in [0, -128, 128] {
            for index in [None, Some((Gpr::RCX, Scale::X1)), Some((Gpr::RBP, Scale::X8)), Some((Gpr::R12, Scale::X4))] {
                cases.push(Case::new(base, index, disp));
            }
        }
    }
    cases
}

/// Decodes one instruction that must be all of the bytes.
fn decode(bytes: &[u8]) -> Instruction {
    let mut decoder = Decoder::with_ip(64, bytes, ORIGIN, DecoderOptions::NONE);
    let instruction = decoder.decode();
    assert!(!instruction.is_invalid(), "no instruction: {bytes:02x?}");
    assert_eq!(instruction.len(), bytes.len(), "more or less than one instruction: {bytes:02x?}");
    instruction
}

/// Decodes everything.
fn decode_all(bytes: &[u8]) -> Vec<Instruction> {
    let decoder = Decoder::with_ip(64, bytes, ORIGIN, DecoderOptions::NONE);
    decoder.into_iter().inspect(|instruction| assert!(!instruction.is_invalid())).collect()
}

fn register(register: Register) -> String {
    format!("{register:?}").to_lowercase()
}

/// Bits of the memory operand, where the decoder's name for it ends in them.
fn memory_bits(instruction: &Instruction) -> String {
    let size = format!("{:?}", instruction.memory_size());
    match size.as_str() {
        "QwordOffset" => "64".to_owned(),
        _ => size.trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned(),
    }
}

fn show_operand(instruction: &Instruction, number: u32, sized: bool) -> String {
    match instruction.op_kind(number) {
        OpKind::Register => register(instruction.op_register(number)),
        OpKind::NearBranch64 => format!("{:+}", instruction.near_branch64().wrapping_sub(ORIGIN).cast_signed()),
        OpKind::Memory if instruction.is_ip_rel_memory_operand() => {
            format!("[rip:{:+}]", instruction.ip_rel_memory_address().wrapping_sub(ORIGIN).cast_signed())
        }
        OpKind::Memory => {
            let mut text = format!("[{}", register(instruction.memory_base()));
            if instruction.memory_index() != Register::None {
                text += &format!("+{}*{}", register(instruction.memory_index()), instruction.memory_index_scale());
            }
            text += &format!("{:+}]", instruction.memory_displacement64().cast_signed());
            if sized { text + ":" + &memory_bits(instruction) } else { text }
        }
        OpKind::Immediate8 => instruction.immediate8().to_string(),
        OpKind::Immediate16 => instruction.immediate16().cast_signed().to_string(),
        OpKind::Immediate32 => instruction.immediate32().cast_signed().to_string(),
        OpKind::Immediate64 => instruction.immediate64().to_string(),
        OpKind::Immediate8to32 => instruction.immediate8to32().to_string(),
        OpKind::Immediate8to64 => instruction.immediate8to64().to_string(),
        OpKind::Immediate32to64 => instruction.immediate32to64().to_string(),
        kind => format!("{kind:?}"),
    }
}

/// The text of an instruction, with sizes of memory or without.
fn show(instruction: &Instruction, sized: bool) -> String {
    let lock = if instruction.has_lock_prefix() { "lock " } else { "" };
    let mnemonic = format!("{:?}", instruction.mnemonic()).to_lowercase();
    let operands: Vec<_> = (0..instruction.op_count()).map(|number| show_operand(instruction, number, sized)).collect();
    format!("{lock}{mnemonic} {}", operands.join(", ")).trim_end().to_owned()
}

/// Writes instructions and compares each with its text.
struct Checker {
    asm: Assembler,
    sized: bool,
    count: usize,
}

impl Checker {
    fn new() -> Checker {
        Checker { asm: Assembler::new(), sized: true, count: 0 }
    }

    /// Does not look at sizes of memory: they follow from the mnemonic.
    fn unsized_memory() -> Checker {
        Checker { sized: false, ..Checker::new() }
    }

    /// Checks one instruction and gives its length.
    fn check(&mut self, expected: &str, write: impl FnOnce(&mut Assembler)) -> usize {
        self.asm.clear();
        write(&mut self.asm);
        assert_eq!(self.asm.position() as usize, self.asm.bytes().len());
        let found = show(&decode(self.asm.bytes()), self.sized);
        assert_eq!(found, expected, "{:02x?}", self.asm.bytes());
        self.count += 1;
        self.asm.bytes().len()
    }
}
