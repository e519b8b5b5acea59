//! Labels, jumps, constants and jump tables.

use super::super::{Alu, Assembler, Cond, Gpr, Label, Mem, RipLabel, Size, SseOp, Width, Xmm};
use super::{ORIGIN, decode, decode_all, show};

fn texts(code: &[u8]) -> Vec<String> {
    decode_all(code).iter().map(|instruction| show(instruction, false)).collect()
}

fn finish(asm: &mut Assembler) -> Vec<u8> {
    asm.finish(&Assembler::new())
}

#[test]
fn forward_and_backward() {
    let mut asm = Assembler::new();
    let (start, end) = (asm.label_here(), asm.new_label());
    assert!(!asm.is_awaited(end));
    asm.jcc(Cond::Le, end);
    asm.jmp(end);
    asm.call(end);
    assert!(asm.is_awaited(end));
    asm.jcc(Cond::A, start);
    asm.jmp(start);
    asm.call(start);
    asm.bind(end);
    assert!(!asm.is_awaited(end));
    assert_eq!((asm.label_position(start), asm.label_position(end)), (Some(0), Some(25)));
    asm.ret();
    assert_eq!(texts(&finish(&mut asm)), ["jle +25", "jmp +25", "call +25", "ja +0", "jmp +0", "call +0", "ret"]);
}

/// A jump back takes two bytes as long as that reaches.
#[test]
fn short_and_near() {
    for (padding, jmp, jcc) in [(0, 2, 2), (125, 2, 2), (126, 2, 2), (127, 5, 6), (1000, 5, 6)] {
        let mut asm = Assembler::new();
        let start = asm.label_here();
        asm.nop(padding);
        asm.jmp(start);
        assert_eq!(asm.position(), padding + jmp);
        assert_eq!(show(&decode_last(&asm, padding), false), "jmp +0");
        asm.clear();
        let start = asm.label_here();
        asm.nop(padding);
        asm.jcc(Cond::Ne, start);
        assert_eq!(asm.position(), padding + jcc);
        assert_eq!(show(&decode_last(&asm, padding), false), "jne +0");
    }
}

fn decode_last(asm: &Assembler, at: u32) -> iced_x86::Instruction {
    let bytes = &asm.bytes()[at as usize..];
    let ip = ORIGIN + u64::from(at);
    let mut decoder = iced_x86::Decoder::with_ip(64, bytes, ip, iced_x86::DecoderOptions::NONE);
    decoder.decode()
}

/// As many jumps to one label as a function may have: linear, or this would not end.
#[test]
fn many_jumps_to_one_label() {
    const COUNT: u32 = 300_000;
    let mut asm = Assembler::new();
    let end = asm.new_label();
    for _ in 0..COUNT {
        asm.jmp(end);
    }
    asm.bind(end);
    asm.ret();
    let code = finish(&mut asm);
    let found = decode_all(&code);
    assert_eq!(found.len() as u32, COUNT + 1);
    let target = ORIGIN + u64::from(5 * COUNT);
    assert!(found[..COUNT as usize].iter().all(|jump| jump.near_branch64() == target));
}

#[test]
fn chains_do_not_mix() {
    let mut asm = Assembler::new();
    let labels: Vec<Label> = (0..50).map(|_| asm.new_label()).collect();
    for round in 0..7 {
        for (number, &label) in labels.iter().enumerate() {
            if number % 7 != round {
                asm.jcc(Cond::E, label);
            }
        }
    }
    let mut expected = Vec::new();
    for &label in &labels {
        expected.push(ORIGIN + u64::from(asm.position()));
        asm.bind(label);
        asm.ud2();
    }
    let code = finish(&mut asm);
    let mut found = decode_all(&code).into_iter();
    for round in 0..7 {
        for (number, target) in expected.iter().enumerate().filter(|(number, _)| number % 7 != round) {
            assert_eq!(found.next().map(|jump| jump.near_branch64()), Some(*target), "{number}");
        }
    }
}

#[test]
fn constants_are_shared_and_aligned() {
    let mut asm = Assembler::new();
    let four = asm.constant32(7);
    let eight = asm.constant64(7);
    let sixteen = asm.constant128(7);
    assert!(four != eight && eight != sixteen);
    assert_eq!((asm.constant32(7), asm.constant64(7), asm.constant128(7)), (four, eight, sixteen));
    asm.sse_rm(SseOp::ADDSS, Xmm::XMM1, Mem::rip(four));
    asm.sse_rm(SseOp::ADDSD, Xmm::XMM1, Mem::rip(eight));
    asm.sse_rm(SseOp::PADDB, Xmm::XMM1, Mem::rip(sixteen));
    asm.alu_mi(Alu::Cmp, Width::W32, Mem::rip(four), 1_000_000);
    asm.mov_mi(Size::S16, Mem::rip(four), 3);
    asm.lock_alu_mi(Alu::Add, Width::W64, Mem::rip(eight), 1);
    asm.lea(Width::W64, Gpr::R15, Mem::rip(eight));
    asm.int3();
    let end = asm.position() as usize;
    asm.emit_constants();
    for prologue_bytes in [0, 3, 15, 16, 30, 200] {
        let mut prologue = Assembler::new();
        for _ in 0..prologue_bytes {
            prologue.push(Gpr::RAX);
        }
        let code = asm.finish(&prologue);
        let start = asm.prologue_size(&prologue) as usize;
        assert!(start.is_multiple_of(16) && start >= prologue_bytes && code.len() == start + asm.position() as usize);
        if start <= 96 {
            assert_eq!(asm.finish_in_place(&prologue), Some(&code[..]));
        } else {
            assert_eq!(asm.finish_in_place(&prologue), None);
        }
        let found = decode_all(&code[..start + end]);
        let places: Vec<_> = found
            .iter()
            .filter(|instruction| instruction.is_ip_rel_memory_operand())
            .map(|instruction| (instruction.ip_rel_memory_address() - ORIGIN) as usize)
            .collect();
        let [a, b, c, d, e, f, g] = places[..] else { panic!("{places:?}") };
        assert_eq!([a, a, b, b], [d, e, f, g]);
        assert!(a.is_multiple_of(4) && b.is_multiple_of(8) && c.is_multiple_of(16));
        assert_eq!(code[a..a + 4], 7u32.to_le_bytes());
        assert_eq!(code[b..b + 8], 7u64.to_le_bytes());
        assert_eq!(code[c..c + 16], 7u128.to_le_bytes());
    }
}

#[test]
fn many_constants() {
    let mut asm = Assembler::new();
    for round in 0..2 {
        let labels: Vec<RipLabel> = (0..5000).map(|value| asm.constant64(value << 32 | round)).collect();
        assert!((0..5000).all(|value| asm.constant64(value << 32 | round) == labels[value as usize]));
        for &label in &labels {
            asm.sse_rm(SseOp::MOVSD, Xmm::XMM0, Mem::rip(label));
        }
        let end = asm.position() as usize;
        asm.emit_constants();
        let code = finish(&mut asm);
        for (value, load) in (0..5000u64).zip(decode_all(&code[..end])) {
            let at = (load.ip_rel_memory_address() - ORIGIN) as usize;
            assert_eq!(code[at..at + 8], (value << 32 | round).to_le_bytes());
        }
        asm.clear();
    }
}

#[test]
fn jump_tables() {
    let mut asm = Assembler::new();
    let labels: Vec<Label> = (0..3).map(|_| asm.new_label()).collect();
    let targets = [labels[2], labels[0], labels[1], labels[0]];
    let (table, empty) = (asm.emit_jump_table(&targets), asm.emit_jump_table(&[]));
    asm.lea(Width::W64, Gpr::RAX, Mem::rip(table));
    asm.lea(Width::W64, Gpr::RAX, Mem::rip(empty));
    for &label in &labels {
        asm.bind(label);
        asm.ud2();
    }
    let positions: Vec<_> = labels.iter().map(|&label| asm.label_position(label)).collect();
    asm.emit_constants();
    let code = finish(&mut asm);
    let start = (decode_all(&code[..7])[0].ip_rel_memory_address() - ORIGIN) as usize;
    assert_eq!(start % 4, 0);
    let entries: Vec<_> = code[start..start + 16]
        .chunks(4)
        .map(|entry| i32::from_le_bytes(entry.try_into().expect("four bytes")) + start as i32)
        .map(|target| Some(target as u32))
        .collect();
    assert_eq!(entries, [positions[2], positions[0], positions[1], positions[0]]);
}

#[test]
#[should_panic(expected = "never bound")]
fn a_jump_without_a_target_is_never_finished() {
    let mut asm = Assembler::new();
    let label = asm.new_label();
    asm.jmp(label);
    finish(&mut asm);
}
