//! Growth, the limit, reuse and the prologue.

use super::super::{Alu, Assembler, Cond, Gpr, HEADROOM, Mem, Width};
use super::{decode_all, show};

/// Instructions of every length across every place where the buffer grows.
#[test]
fn grows() {
    let mut asm = Assembler::new();
    let mut expected = Vec::new();
    while asm.position() < 300_000 {
        asm.ret();
        asm.alu_ri(Alu::Add, Width::W32, Gpr::R8, 1);
        asm.mov_ri(Gpr::RAX, 0x1122_3344_5566_7788);
        asm.alu_mi(Alu::Sub, Width::W64, Mem::base(Gpr::R12, 0x1000), 0x2000);
        asm.nop(3);
        expected.extend(["ret", "add r8d, 1", "mov rax, 1234605616436508552", "sub [r12+4096], 8192", "nop [rax+0]"]);
    }
    let found: Vec<_> = decode_all(asm.bytes()).iter().map(|instruction| show(instruction, false)).collect();
    assert_eq!(found, expected);
}

#[test]
fn nops() {
    let mut asm = Assembler::new();
    for count in 0..40 {
        asm.clear();
        asm.nop(count);
        assert_eq!(asm.position(), count);
        assert!(decode_all(asm.bytes()).iter().all(|found| show(found, false).starts_with("nop")));
    }
    asm.clear();
    asm.ret();
    asm.align_code(16);
    assert_eq!(asm.position(), 16);
    asm.align_code(16);
    asm.align_data(8);
    assert_eq!(asm.position(), 16);
    asm.ret();
    asm.align_data(8);
    assert_eq!(asm.bytes()[16..], [0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc]);
}

#[test]
fn too_much_code_is_a_flag() {
    let mut asm = Assembler::with_limit(1000);
    let prologue = Assembler::new();
    for _ in 0..2 {
        let (before, after) = (asm.label_here(), asm.new_label());
        let table = asm.emit_jump_table(&[before, after]);
        let mut position = 0;
        for number in 0..10_000 {
            assert!(asm.position() >= position);
            position = asm.position();
            asm.jcc(Cond::E, after);
            asm.lea(Width::W64, Gpr::RAX, Mem::rip(table));
            let constant = asm.constant64(number);
            asm.mov_rm(Width::W64, Gpr::RAX, Mem::rip(constant));
            asm.jmp(before);
        }
        asm.bind(after);
        asm.emit_constants();
        asm.emit_bytes(&[0; 5000]);
        assert!(asm.overflowed());
        assert!(asm.position() <= 1000 - HEADROOM);
        assert!(asm.finish(&prologue).is_empty() && asm.finish_in_place(&prologue).is_none());
        asm.clear();
        assert!(!asm.overflowed() && asm.position() == 0 && asm.bytes().is_empty());
    }
    asm.ret();
    assert_eq!(asm.finish(&prologue), [0xc3]);
}

/// The limit itself can be reached.
#[test]
fn code_up_to_the_limit() {
    let mut asm = Assembler::with_limit(HEADROOM + 160);
    asm.nop(145);
    assert!(!asm.overflowed() && asm.position() == 145);
    asm.emit_bytes(&[0x90; 15]);
    assert!(!asm.overflowed() && asm.position() == 160);
    asm.emit_bytes(&[0x90]);
    assert!(asm.overflowed());
}

#[test]
fn prologue_goes_in_front() {
    let (mut asm, mut prologue) = (Assembler::new(), Assembler::new());
    assert_eq!(asm.finish(&prologue), []);
    let end = asm.new_label();
    asm.jmp(end);
    asm.bind(end);
    asm.leave();
    asm.ret();
    prologue.push(Gpr::RBP);
    prologue.mov_rr(Width::W64, Gpr::RBP, Gpr::RSP);
    let at = prologue.alu_ri32(Alu::Sub, Width::W64, Gpr::RSP, 0);
    prologue.patch_i32(at, 0x40);
    assert_eq!(asm.prologue_size(&prologue), 11);
    let code = asm.finish(&prologue);
    let found: Vec<_> = decode_all(&code).iter().map(|instruction| show(instruction, false)).collect();
    assert_eq!(found, ["push rbp", "mov rbp, rsp", "sub rsp, 64", "jmp +16", "leave", "ret"]);
    assert_eq!(asm.finish_in_place(&prologue), Some(&code[..]));
    assert_eq!(asm.finish_in_place(&Assembler::new()), Some(&code[11..]));
}

#[test]
fn offsets() {
    for case in super::some_memory() {
        for delta in [0, 1, -8, 127, 128, 0x1000] {
            let moved = case.mem.offset(delta).expect("a small displacement");
            assert_eq!(moved.disp(), case.mem.disp() + delta);
            assert_eq!(moved.offset(-delta), Some(case.mem));
        }
        assert_eq!(case.mem.offset(i32::MAX).is_some(), case.mem.disp() <= 0);
    }
    let mut asm = Assembler::new();
    assert_eq!(Mem::rip(asm.constant32(1)).offset(1), None);
}
