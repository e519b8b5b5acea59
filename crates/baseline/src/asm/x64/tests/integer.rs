//! Instructions on general purpose registers, stack and control, locked instructions.

use super::super::{Alu, Assembler, Cond, Gpr, Mem, Size, Width};
use super::{Checker, IMMS, WIDTHS, all_memory, bits, gprs, name, of, some_memory};

const ALU: [(Alu, &str); 8] = [
    (Alu::Add, "add"),
    (Alu::Or, "or"),
    (Alu::Adc, "adc"),
    (Alu::Sbb, "sbb"),
    (Alu::And, "and"),
    (Alu::Sub, "sub"),
    (Alu::Xor, "xor"),
    (Alu::Cmp, "cmp"),
];

const CONDS: [&str; 16] = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];

const SIZES: [(Size, u32); 4] = [(Size::S8, 8), (Size::S16, 16), (Size::S32, 32), (Size::S64, 64)];

type Rr = fn(&mut Assembler, Width, Gpr, Gpr);
type Rm = fn(&mut Assembler, Width, Gpr, Mem);
type R = fn(&mut Assembler, Width, Gpr);
type SizedMr = fn(&mut Assembler, Size, Mem, Gpr);

/// A value as an immediate of so many bits.
fn truncated(imm: i32, bits: u32) -> String {
    match bits {
        8 => (imm as u8).to_string(),
        16 => (imm as i16).to_string(),
        _ => imm.to_string(),
    }
}

#[test]
fn every_memory_operand() {
    let mut checker = Checker::new();
    for case in all_memory() {
        for dst in [Gpr::RAX, Gpr::RSP, Gpr::R15] {
            checker.check(&format!("mov {}, {}:64", of(dst, Width::W64), case.text), |asm| {
                asm.mov_rm(Width::W64, dst, case.mem);
            });
        }
        checker.check(&format!("mov {}:8, dil", case.text), |asm| asm.mov_mr8(case.mem, Gpr::RDI));
        checker.check(&format!("mov {}:16, -2", case.text), |asm| asm.mov_mi(Size::S16, case.mem, -2));
        checker.check(&format!("imul r9d, {}:32, 100000", case.text), |asm| {
            asm.imul_rmi(Width::W32, Gpr::R9, case.mem, 100_000);
        });
    }
    assert!(checker.count > 60_000);
}

#[test]
fn two_registers() {
    let forms: [(&str, Rr); 14] = [
        ("mov", |asm, w, a, b| asm.mov_rr(w, a, b)),
        ("xchg", |asm, w, a, b| asm.xchg_rr(w, a, b)),
        ("test", |asm, w, a, b| asm.test_rr(w, a, b)),
        ("imul", |asm, w, a, b| asm.imul_rr(w, a, b)),
        ("lzcnt", |asm, w, a, b| asm.lzcnt(w, a, b)),
        ("tzcnt", |asm, w, a, b| asm.tzcnt(w, a, b)),
        ("popcnt", |asm, w, a, b| asm.popcnt(w, a, b)),
        ("bsr", |asm, w, a, b| asm.bsr(w, a, b)),
        ("bsf", |asm, w, a, b| asm.bsf(w, a, b)),
        ("cmovb", |asm, w, a, b| asm.cmov_rr(Cond::B, w, a, b)),
        ("add", |asm, w, a, b| asm.alu_rr(Alu::Add, w, a, b)),
        ("adc", |asm, w, a, b| asm.alu_rr(Alu::Adc, w, a, b)),
        ("cmp", |asm, w, a, b| asm.alu_rr(Alu::Cmp, w, a, b)),
        ("xor", |asm, w, a, b| asm.alu_rr(Alu::Xor, w, a, b)),
    ];
    let mut checker = Checker::new();
    for (mnemonic, form) in forms {
        for (width, a, b) in pairs() {
            // `xchg eax, eax` of two bytes is what it says, and not a `nop`.
            let expected = format!("{mnemonic} {}, {}", of(a, width), of(b, width));
            checker.check(&expected, |asm| form(asm, width, a, b));
        }
    }
}

fn pairs() -> impl Iterator<Item = (Width, Gpr, Gpr)> {
    WIDTHS.into_iter().flat_map(|width| gprs().flat_map(move |a| gprs().map(move |b| (width, a, b))))
}

#[test]
fn register_and_memory() {
    let forms: [(&str, Rm); 10] = [
        ("mov", |asm, w, a, b| asm.mov_rm(w, a, b)),
        ("lea", |asm, w, a, b| asm.lea(w, a, b)),
        ("imul", |asm, w, a, b| asm.imul_rm(w, a, b)),
        ("popcnt", |asm, w, a, b| asm.popcnt_m(w, a, b)),
        ("cmovg", |asm, w, a, b| asm.cmov_rm(Cond::G, w, a, b)),
        ("add", |asm, w, a, b| asm.alu_rm(Alu::Add, w, a, b)),
        ("sbb", |asm, w, a, b| asm.alu_rm(Alu::Sbb, w, a, b)),
        ("and", |asm, w, a, b| asm.alu_rm(Alu::And, w, a, b)),
        ("sub", |asm, w, a, b| asm.alu_rm(Alu::Sub, w, a, b)),
        ("cmp", |asm, w, a, b| asm.alu_rm(Alu::Cmp, w, a, b)),
    ];
    let backwards: [(&str, Rm); 6] = [
        ("mov", |asm, w, a, b| asm.mov_mr(w, b, a)),
        ("test", |asm, w, a, b| asm.test_mr(w, b, a)),
        ("add", |asm, w, a, b| asm.alu_mr(Alu::Add, w, b, a)),
        ("or", |asm, w, a, b| asm.alu_mr(Alu::Or, w, b, a)),
        ("xor", |asm, w, a, b| asm.alu_mr(Alu::Xor, w, b, a)),
        ("cmp", |asm, w, a, b| asm.alu_mr(Alu::Cmp, w, b, a)),
    ];
    let mut checker = Checker::new();
    for case in some_memory() {
        for (width, register) in WIDTHS.into_iter().flat_map(|width| gprs().map(move |register| (width, register))) {
            let (register_text, memory) = (of(register, width), format!("{}:{}", case.text, bits(width)));
            for (mnemonic, form) in forms {
                let memory = if mnemonic == "lea" { format!("{}:", case.text) } else { memory.clone() };
                checker.check(&format!("{mnemonic} {register_text}, {memory}"), |asm| {
                    form(asm, width, register, case.mem);
                });
            }
            for (mnemonic, form) in backwards {
                checker.check(&format!("{mnemonic} {memory}, {register_text}"), |asm| {
                    form(asm, width, register, case.mem);
                });
            }
        }
    }
}

#[test]
fn one_register() {
    let forms: [(&str, R); 9] = [
        ("neg", |asm, w, a| asm.neg(w, a)),
        ("not", |asm, w, a| asm.not(w, a)),
        ("inc", |asm, w, a| asm.inc(w, a)),
        ("dec", |asm, w, a| asm.dec(w, a)),
        ("mul", |asm, w, a| asm.mul(w, a)),
        ("imul", |asm, w, a| asm.imul(w, a)),
        ("div", |asm, w, a| asm.div(w, a)),
        ("idiv", |asm, w, a| asm.idiv(w, a)),
        ("bswap", |asm, w, a| asm.bswap(w, a)),
    ];
    let mut checker = Checker::new();
    for (mnemonic, form) in forms {
        for width in WIDTHS {
            for register in gprs() {
                checker.check(&format!("{mnemonic} {}", of(register, width)), |asm| form(asm, width, register));
            }
        }
    }
    for register in gprs() {
        let text = of(register, Width::W64);
        checker.check(&format!("push {text}"), |asm| asm.push(register));
        checker.check(&format!("pop {text}"), |asm| asm.pop(register));
        checker.check(&format!("call {text}"), |asm| asm.call_r(register));
        checker.check(&format!("jmp {text}"), |asm| asm.jmp_r(register));
    }
}

#[test]
fn alu_and_test_with_immediates() {
    let mut checker = Checker::new();
    for width in WIDTHS {
        for imm in IMMS {
            for register in gprs() {
                let text = of(register, width);
                for (op, mnemonic) in ALU {
                    let expected = format!("{mnemonic} {text}, {imm}");
                    let len = checker.check(&expected, |asm| asm.alu_ri(op, width, register, imm));
                    let rex = usize::from(width == Width::W64 || register.number() >= 8);
                    assert_eq!(len, rex + if i8::try_from(imm).is_ok() { 3 } else { 6 });
                    checker.check(&expected, |asm| {
                        let at = asm.alu_ri32(op, width, register, !imm);
                        asm.patch_i32(at, imm);
                    });
                }
                let (tested, bits) = if (0..128).contains(&imm) { (name(register, 8), 8) } else { (text.clone(), 32) };
                checker.check(&format!("test {tested}, {}", truncated(imm, bits)), |asm| {
                    asm.test_ri(width, register, imm);
                });
                for other in [Gpr::RAX, Gpr::RSP, Gpr::R13] {
                    checker.check(&format!("imul {text}, {}, {imm}", of(other, width)), |asm| {
                        asm.imul_rri(width, register, other, imm);
                    });
                }
            }
            for case in some_memory() {
                for (op, mnemonic) in ALU {
                    checker.check(&format!("{mnemonic} {}:{}, {imm}", case.text, bits(width)), |asm| {
                        asm.alu_mi(op, width, case.mem, imm);
                    });
                }
                checker.check(&format!("imul r14, {}:64, {imm}", case.text), |asm| {
                    asm.imul_rmi(Width::W64, Gpr::R14, case.mem, imm);
                });
            }
        }
    }
    for case in some_memory() {
        for (op, mnemonic) in ALU {
            for imm in [0, 1, -1, 127, -128] {
                checker.check(&format!("{mnemonic} {}:8, {}", case.text, imm as u8), |asm| {
                    asm.alu_mi8(op, case.mem, imm);
                });
            }
        }
    }
}

#[test]
fn moves_of_immediates() {
    let mut checker = Checker::new();
    let values = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 0x1234_5678_9abc_def0, 1 << 63];
    let extended = IMMS.map(|imm| i64::from(imm).cast_unsigned());
    for value in values.into_iter().chain(extended) {
        for register in gprs() {
            let short = u32::try_from(value).is_ok();
            let middle = i32::try_from(value.cast_signed());
            let text = match middle {
                _ if short => format!("mov {}, {}", of(register, Width::W32), (value as u32).cast_signed()),
                Ok(value) => format!("mov {}, {value}", of(register, Width::W64)),
                Err(_) => format!("mov {}, {value}", of(register, Width::W64)),
            };
            let len = checker.check(&text, |asm| asm.mov_ri(register, value));
            let rex = usize::from(register.number() >= 8);
            assert_eq!(
                len,
                if short {
                    5 + rex
                } else if middle.is_ok() {
                    7
                } else {
                    10
                }
            );
        }
    }
    for case in some_memory() {
        for (size, bits) in SIZES {
            for imm in IMMS {
                let imm_text = truncated(imm, bits);
                checker.check(&format!("mov {}:{bits}, {imm_text}", case.text), |asm| asm.mov_mi(size, case.mem, imm));
                checker
                    .check(&format!("test {}:{bits}, {imm_text}", case.text), |asm| asm.test_mi(size, case.mem, imm));
            }
        }
    }
}

#[test]
fn extensions() {
    let mut checker = Checker::new();
    for dst in gprs() {
        let (d32, d64) = (of(dst, Width::W32), of(dst, Width::W64));
        for src in gprs() {
            let (s8, s16, s32) = (name(src, 8), name(src, 16), name(src, 32));
            checker.check(&format!("movzx {d32}, {s8}"), |asm| asm.movzx8_rr(dst, src));
            checker.check(&format!("movzx {d32}, {s16}"), |asm| asm.movzx16_rr(dst, src));
            checker.check(&format!("movsxd {d64}, {s32}"), |asm| asm.movsxd_rr(dst, src));
            for width in WIDTHS {
                let d = of(dst, width);
                checker.check(&format!("movsx {d}, {s8}"), |asm| asm.movsx8_rr(width, dst, src));
                checker.check(&format!("movsx {d}, {s16}"), |asm| asm.movsx16_rr(width, dst, src));
            }
        }
        for case in some_memory() {
            let text = &case.text;
            checker.check(&format!("movzx {d32}, {text}:8"), |asm| asm.movzx8_rm(dst, case.mem));
            checker.check(&format!("movzx {d32}, {text}:16"), |asm| asm.movzx16_rm(dst, case.mem));
            checker.check(&format!("movsxd {d64}, {text}:32"), |asm| asm.movsxd_rm(dst, case.mem));
            for width in WIDTHS {
                let d = of(dst, width);
                checker.check(&format!("movsx {d}, {text}:8"), |asm| asm.movsx8_rm(width, dst, case.mem));
                checker.check(&format!("movsx {d}, {text}:16"), |asm| asm.movsx16_rm(width, dst, case.mem));
            }
        }
    }
}

#[test]
fn conditions() {
    let mut checker = Checker::new();
    for (cond, suffix) in Cond::ALL.into_iter().zip(CONDS) {
        assert_eq!(cond.invert().invert(), cond);
        assert_eq!(cond.swap().swap(), cond);
        for register in gprs() {
            checker.check(&format!("set{suffix} {}", name(register, 8)), |asm| asm.setcc(cond, register));
            checker.check(&format!("cmov{suffix} {}, r11", of(register, Width::W64)), |asm| {
                asm.cmov_rr(cond, Width::W64, register, Gpr::R11);
            });
        }
        for case in some_memory() {
            checker.check(&format!("set{suffix} {}:8", case.text), |asm| asm.setcc_m(cond, case.mem));
            checker.check(&format!("cmov{suffix} esi, {}:32", case.text), |asm| {
                asm.cmov_rm(cond, Width::W32, Gpr::RSI, case.mem);
            });
        }
    }
    assert_eq!(Cond::L.invert(), Cond::Ge);
    assert_eq!(Cond::A.swap(), Cond::B);
}

#[test]
fn sizes_and_locks() {
    let forms: [(&str, SizedMr); 9] = [
        ("mov", |asm, s, m, r| asm.mov_mr_sized(s, m, r)),
        ("xchg", |asm, s, m, r| asm.xchg_m(s, m, r)),
        ("lock cmpxchg", |asm, s, m, r| asm.lock_cmpxchg(s, m, r)),
        ("lock xadd", |asm, s, m, r| asm.lock_xadd(s, m, r)),
        ("lock add", |asm, s, m, r| asm.lock_alu(Alu::Add, s, m, r)),
        ("lock sub", |asm, s, m, r| asm.lock_alu(Alu::Sub, s, m, r)),
        ("lock and", |asm, s, m, r| asm.lock_alu(Alu::And, s, m, r)),
        ("lock or", |asm, s, m, r| asm.lock_alu(Alu::Or, s, m, r)),
        ("lock xor", |asm, s, m, r| asm.lock_alu(Alu::Xor, s, m, r)),
    ];
    let mut checker = Checker::new();
    for case in some_memory() {
        for (size, bits) in SIZES {
            for register in gprs() {
                for (mnemonic, form) in forms {
                    checker.check(&format!("{mnemonic} {}:{bits}, {}", case.text, name(register, bits)), |asm| {
                        form(asm, size, case.mem, register);
                    });
                }
            }
            checker.check(&format!("inc {}:{bits}", case.text), |asm| asm.inc_m(size, case.mem));
            checker.check(&format!("dec {}:{bits}", case.text), |asm| asm.dec_m(size, case.mem));
        }
        for register in gprs() {
            checker.check(&format!("mov {}:8, {}", case.text, name(register, 8)), |asm| {
                asm.mov_mr8(case.mem, register);
            });
            checker.check(&format!("mov {}:16, {}", case.text, name(register, 16)), |asm| {
                asm.mov_mr16(case.mem, register);
            });
        }
        checker.check(&format!("lock sub {}:32, 1", case.text), |asm| {
            asm.lock_alu_mi(Alu::Sub, Width::W32, case.mem, 1);
        });
        checker.check(&format!("call {}:64", case.text), |asm| asm.call_m(case.mem));
        checker.check(&format!("jmp {}:64", case.text), |asm| asm.jmp_m(case.mem));
        checker.check(&format!("push {}:64", case.text), |asm| asm.push_m(case.mem));
    }
}

#[test]
fn without_operands() {
    let mut checker = Checker::new();
    checker.check("cdq", |asm| asm.cdq(Width::W32));
    checker.check("cqo", |asm| asm.cdq(Width::W64));
    checker.check("ret", Assembler::ret);
    checker.check("ret 16", |asm| asm.ret_i(16));
    checker.check("ret -8", |asm| asm.ret_i(0xfff8));
    checker.check("leave", Assembler::leave);
    checker.check("ud2", Assembler::ud2);
    checker.check("int3", Assembler::int3);
    checker.check("mfence", Assembler::mfence);
    checker.check("pause", Assembler::pause);
    for imm in IMMS {
        checker.check(&format!("push {imm}"), |asm| asm.push_i(imm));
    }
}

/// What the decoder does not tell: that the shortest encodings are taken.
#[test]
fn bytes() {
    let written = |write: fn(&mut Assembler)| {
        let mut asm = Assembler::new();
        write(&mut asm);
        asm.bytes().to_vec()
    };
    assert_eq!(written(|asm| asm.alu_rr(Alu::Add, Width::W32, Gpr::RAX, Gpr::RCX)), [0x01, 0xc8]);
    assert_eq!(written(|asm| asm.mov_rm(Width::W32, Gpr::RAX, Mem::base(Gpr::RAX, 0))), [0x8b, 0x00]);
    assert_eq!(written(|asm| asm.mov_rm(Width::W64, Gpr::RAX, Mem::base(Gpr::RSP, 8))), [0x48, 0x8b, 0x44, 0x24, 8]);
    assert_eq!(written(|asm| asm.mov_rm(Width::W32, Gpr::RAX, Mem::base(Gpr::R13, 0))), [0x41, 0x8b, 0x45, 0]);
    assert_eq!(written(|asm| asm.setcc(Cond::E, Gpr::RAX)), [0x0f, 0x94, 0xc0]);
    assert_eq!(written(|asm| asm.setcc(Cond::E, Gpr::RSI)), [0x40, 0x0f, 0x94, 0xc6]);
}
