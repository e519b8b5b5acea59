//! Shifts and the BMI instructions.

use super::super::{Assembler, Gpr, Shift, Width};
use super::{Checker, WIDTHS, gprs, of};

const SHIFTS: [(Shift, &str); 5] =
    [(Shift::Rol, "rol"), (Shift::Ror, "ror"), (Shift::Shl, "shl"), (Shift::Shr, "shr"), (Shift::Sar, "sar")];

#[test]
fn shifts() {
    let mut checker = Checker::new();
    for (op, mnemonic) in SHIFTS {
        for width in WIDTHS {
            for register in gprs() {
                let text = of(register, width);
                checker.check(&format!("{mnemonic} {text}, cl"), |asm| asm.shift_cl(op, width, register));
                for count in [0, 1, 31, 63] {
                    checker.check(&format!("{mnemonic} {text}, {count}"), |asm| {
                        asm.shift_ri(op, width, register, count);
                    });
                }
            }
        }
    }
}

#[test]
fn three_registers() {
    type Rrr = fn(&mut Assembler, Width, Gpr, Gpr, Gpr);
    let forms: [(&str, Rrr); 5] = [
        ("shlx", |asm, w, a, b, c| asm.shlx(w, a, b, c)),
        ("shrx", |asm, w, a, b, c| asm.shrx(w, a, b, c)),
        ("sarx", |asm, w, a, b, c| asm.sarx(w, a, b, c)),
        ("mulx", |asm, w, a, b, c| asm.mulx(w, a, b, c)),
        ("andn", |asm, w, a, b, c| asm.andn(w, a, b, c)),
    ];
    let mut checker = Checker::new();
    for width in WIDTHS {
        for a in gprs() {
            for b in gprs() {
                for count in [1, 31, 63] {
                    checker.check(&format!("rorx {}, {}, {count}", of(a, width), of(b, width)), |asm| {
                        asm.rorx(width, a, b, count);
                    });
                }
                for c in [Gpr::RAX, Gpr::RSP, Gpr::R8, Gpr::R15] {
                    for (mnemonic, form) in forms {
                        let expected = format!("{mnemonic} {}, {}, {}", of(a, width), of(b, width), of(c, width));
                        checker.check(&expected, |asm| form(asm, width, a, b, c));
                    }
                }
            }
        }
    }
}
