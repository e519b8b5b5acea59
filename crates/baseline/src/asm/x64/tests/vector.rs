//! All rows of the table of vector instructions, in all forms that their shape has.

use super::super::sse_op::{ROWS, SHIFTS, Shape};
use super::super::{Gpr, Mem, RipLabel, SseOp, Width, Xmm};
use super::{Case, Checker, WIDTHS, all_memory, gprs, name, of, some_memory, vector, xmms};

/// The mnemonic of a row.
fn mnemonic(row: &str) -> String {
    row.trim_end_matches("_STORE").to_lowercase()
}

/// The VEX mnemonic of a row.
fn vex(row: &str) -> String {
    let name = mnemonic(row);
    if name.starts_with('v') { name } else { format!("v{name}") }
}

/// `pinsrd` and `pextrd` have another name with 64 bits.
fn wide(name: &str, width: Width) -> String {
    match width {
        Width::W64 => format!("{}q", name.trim_end_matches('d')),
        Width::W32 => name.to_owned(),
    }
}

fn rows(shape: Shape) -> Vec<(&'static str, SseOp)> {
    let found: Vec<_> = ROWS.iter().filter(|row| row.2 == shape).map(|row| (row.0, row.1)).collect();
    assert!(!found.is_empty());
    found
}

/// Pairs of registers that show which bit goes where.
fn pairs() -> Vec<(Xmm, Xmm)> {
    xmms().flat_map(|a| xmms().map(move |b| (a, b))).collect()
}

const THIRD: [Xmm; 4] = [Xmm::XMM0, Xmm::XMM5, Xmm::XMM8, Xmm::XMM15];

#[test]
fn rows_are_distinct() {
    for (number, row) in ROWS.iter().enumerate() {
        for other in &ROWS[..number] {
            let halves = row.2 == Shape::HalfMove || other.2 == Shape::HalfMove;
            assert!(row.1 != other.1 || halves, "{} is {}", row.0, other.0);
            assert_ne!(row.0, other.0);
        }
    }
    assert!(ROWS.len() > 200);
}

#[test]
fn two_registers() {
    let mut checker = Checker::unsized_memory();
    let shapes = [Shape::Binary, Shape::Unary, Shape::Merge, Shape::HalfMove];
    for (name, op) in shapes.into_iter().flat_map(rows) {
        for (a, b) in pairs() {
            let text = format!("{} {}, {}", mnemonic(name), vector(a), vector(b));
            checker.check(&text, |asm| asm.sse_rr(op, a, b));
        }
    }
    for (name, op) in [Shape::Unary, Shape::VexUnary].into_iter().flat_map(rows) {
        for (a, b) in pairs() {
            let text = format!("{} {}, {}", vex(name), vector(a), vector(b));
            checker.check(&text, |asm| asm.vex_rr(op, a, b));
        }
    }
    for (name, op) in [Shape::BinaryImm, Shape::UnaryImm].into_iter().flat_map(rows) {
        for (a, b) in pairs() {
            for imm in [0, 7, 0x80, 0xff] {
                let text = format!("{} {}, {}, {imm}", mnemonic(name), vector(a), vector(b));
                checker.check(&text, |asm| asm.sse_rri(op, a, b, imm));
            }
        }
    }
    for (name, op) in rows(Shape::UnaryImm) {
        for (a, b) in pairs() {
            let text = format!("{} {}, {}, 27", vex(name), vector(a), vector(b));
            checker.check(&text, |asm| asm.vex_rri(op, a, b, 27));
        }
    }
}

#[test]
fn three_registers() {
    let mut checker = Checker::unsized_memory();
    let shapes = [Shape::Binary, Shape::Merge, Shape::HalfMove, Shape::VexBinary];
    for (name, op) in shapes.into_iter().flat_map(rows) {
        for (a, b) in pairs() {
            for c in THIRD {
                let text = format!("{} {}, {}, {}", vex(name), vector(a), vector(b), vector(c));
                checker.check(&text, |asm| asm.vex_rrr(op, a, b, c));
            }
        }
    }
    for (name, op) in rows(Shape::BinaryImm) {
        for (a, b) in pairs() {
            for c in THIRD {
                let text = format!("{} {}, {}, {}, 200", vex(name), vector(a), vector(b), vector(c));
                checker.check(&text, |asm| asm.vex_rrri(op, a, b, c, 200));
            }
        }
    }
    for (name, op) in rows(Shape::VexBlend) {
        for (a, b) in pairs() {
            for (c, d) in THIRD.into_iter().flat_map(|c| THIRD.map(|d| (c, d))) {
                let text = format!("{} {}, {}, {}, {}", vex(name), vector(a), vector(b), vector(c), vector(d));
                checker.check(&text, |asm| asm.vex_rrrr(op, a, b, c, d));
            }
        }
    }
    for (name, op) in rows(Shape::Blend) {
        for (a, b) in pairs() {
            // The decoder does not name the implicit register.
            let text = format!("{} {}, {}", mnemonic(name), vector(a), vector(b));
            checker.check(&text, |asm| asm.sse_rr(op, a, b));
        }
    }
}

fn registers_and_memory() -> Vec<(Xmm, Case)> {
    let registers = [Xmm::XMM0, Xmm::XMM7, Xmm::XMM8, Xmm::XMM15];
    registers.into_iter().flat_map(|register| some_memory().into_iter().map(move |case| (register, case))).collect()
}

#[test]
fn legacy_memory() {
    let mut checker = Checker::unsized_memory();
    let cases = registers_and_memory();
    let shapes = [Shape::Binary, Shape::Unary, Shape::Merge, Shape::HalfLoad, Shape::Blend];
    for (name, op) in shapes.into_iter().flat_map(rows) {
        for (a, case) in &cases {
            let text = format!("{} {}, {}", mnemonic(name), vector(*a), case.text);
            checker.check(&text, |asm| asm.sse_rm(op, *a, case.mem));
        }
    }
    for (name, op) in [Shape::BinaryImm, Shape::UnaryImm].into_iter().flat_map(rows) {
        for (a, case) in &cases {
            let text = format!("{} {}, {}, 255", mnemonic(name), vector(*a), case.text);
            checker.check(&text, |asm| asm.sse_rmi(op, *a, case.mem, 255));
        }
    }
    for (name, op) in rows(Shape::Store) {
        for (a, case) in &cases {
            let text = format!("{} {}, {}", mnemonic(name), case.text, vector(*a));
            checker.check(&text, |asm| asm.sse_mr(op, case.mem, *a));
        }
    }
}

#[test]
fn vex_memory() {
    let mut checker = Checker::unsized_memory();
    let cases = registers_and_memory();
    for (name, op) in [Shape::Binary, Shape::HalfLoad, Shape::VexBinary].into_iter().flat_map(rows) {
        for (b, (a, case)) in xmms().cycle().zip(&cases) {
            let text = format!("{} {}, {}, {}", vex(name), vector(*a), vector(b), case.text);
            checker.check(&text, |asm| asm.vex_rrm(op, *a, b, case.mem));
        }
    }
    for (name, op) in [Shape::Unary, Shape::Merge, Shape::VexUnary].into_iter().flat_map(rows) {
        for (a, case) in &cases {
            let text = format!("{} {}, {}", vex(name), vector(*a), case.text);
            checker.check(&text, |asm| asm.vex_rm(op, *a, case.mem));
        }
    }
    for (name, op) in rows(Shape::BinaryImm) {
        for (b, (a, case)) in xmms().cycle().zip(&cases) {
            let text = format!("{} {}, {}, {}, 3", vex(name), vector(*a), vector(b), case.text);
            checker.check(&text, |asm| asm.vex_rrmi(op, *a, b, case.mem, 3));
        }
    }
    for (name, op) in rows(Shape::VexBlend) {
        for (b, (a, case)) in xmms().cycle().zip(&cases) {
            let text = format!("{} {}, {}, {}, {}", vex(name), vector(*a), vector(b), case.text, vector(b));
            checker.check(&text, |asm| asm.vex_rrmr(op, *a, b, case.mem, b));
        }
    }
    for (name, op) in rows(Shape::UnaryImm) {
        for (a, case) in &cases {
            let text = format!("{} {}, {}, 3", vex(name), vector(*a), case.text);
            checker.check(&text, |asm| asm.vex_rmi(op, *a, case.mem, 3));
        }
    }
    for (name, op) in rows(Shape::Store) {
        for (a, case) in &cases {
            let text = format!("{} {}, {}", vex(name), case.text, vector(*a));
            checker.check(&text, |asm| asm.vex_mr(op, case.mem, *a));
        }
    }
}

#[test]
fn every_memory_operand() {
    let mut checker = Checker::unsized_memory();
    for case in all_memory() {
        checker.check(&format!("addsd xmm9, {}", case.text), |asm| asm.sse_rm(SseOp::ADDSD, Xmm::XMM9, case.mem));
        checker.check(&format!("pblendw xmm1, {}, 90", case.text), |asm| {
            asm.sse_rmi(SseOp::PBLENDW, Xmm::XMM1, case.mem, 90);
        });
        checker.check(&format!("vaddsd xmm9, xmm3, {}", case.text), |asm| {
            asm.vex_rrm(SseOp::ADDSD, Xmm::XMM9, Xmm::XMM3, case.mem);
        });
        checker.check(&format!("vpalignr xmm9, xmm13, {}, 90", case.text), |asm| {
            asm.vex_rrmi(SseOp::PALIGNR, Xmm::XMM9, Xmm::XMM13, case.mem, 90);
        });
    }
}

#[test]
fn general_purpose_registers() {
    let mut checker = Checker::unsized_memory();
    let third = Xmm::XMM11;
    for (x, g) in xmms().flat_map(|x| gprs().map(move |g| (x, g))) {
        let v = vector(x);
        for width in WIDTHS {
            let r = of(g, width);
            for (name, op) in rows(Shape::FromGpr) {
                checker.check(&format!("{} {v}, {r}", mnemonic(name)), |asm| asm.sse_from_gpr(op, width, x, g));
                checker.check(&format!("{} {v}, xmm11, {r}", vex(name)), |asm| {
                    asm.vex_from_gpr(op, width, x, third, g);
                });
            }
            for (name, op) in rows(Shape::ToGpr) {
                checker.check(&format!("{} {r}, {v}", mnemonic(name)), |asm| asm.sse_to_gpr(op, width, g, x));
                checker.check(&format!("{} {r}, {v}", vex(name)), |asm| asm.vex_to_gpr(op, width, g, x));
            }
            let mov = wide("movd", width);
            checker.check(&format!("{mov} {v}, {r}"), |asm| asm.movd_from_gpr(width, x, g));
            checker.check(&format!("{mov} {r}, {v}"), |asm| asm.movd_to_gpr(width, g, x));
            checker.check(&format!("v{mov} {v}, {r}"), |asm| asm.vmovd_from_gpr(width, x, g));
            checker.check(&format!("v{mov} {r}, {v}"), |asm| asm.vmovd_to_gpr(width, g, x));
        }
        let r = name(g, 32);
        for (name, op) in rows(Shape::Mask) {
            checker.check(&format!("{} {r}, {v}", mnemonic(name)), |asm| asm.sse_to_gpr(op, Width::W32, g, x));
            checker.check(&format!("{} {r}, {v}", vex(name)), |asm| asm.vex_to_gpr(op, Width::W32, g, x));
        }
        for (width, name, op) in lanes(Shape::Insert) {
            let r = of(g, width);
            checker.check(&format!("{name} {v}, {r}, 3"), |asm| asm.sse_insert(op, width, x, g, 3));
            checker.check(&format!("v{name} {v}, xmm11, {r}, 1"), |asm| asm.vex_insert(op, width, x, third, (g, 1)));
        }
        for (width, name, op) in lanes(Shape::Extract) {
            let r = of(g, width);
            checker.check(&format!("{name} {r}, {v}, 3"), |asm| asm.sse_extract(op, width, g, x, 3));
            checker.check(&format!("v{name} {r}, {v}, 1"), |asm| asm.vex_extract(op, width, g, x, 1));
        }
    }
}

/// The rows with the widths that they have, and the names of these.
fn lanes(shape: Shape) -> impl Iterator<Item = (Width, String, SseOp)> {
    rows(shape).into_iter().flat_map(|(name, op)| {
        let widths = if name.ends_with('D') { &WIDTHS[..] } else { &WIDTHS[..1] };
        widths.iter().map(move |&width| (width, wide(&mnemonic(name), width), op))
    })
}

#[test]
fn integers_in_memory() {
    let mut checker = Checker::unsized_memory();
    for (x, case) in registers_and_memory() {
        let (v, m) = (vector(x), &case.text);
        checker.sized = true;
        for width in WIDTHS {
            let bits = super::bits(width);
            for (name, op) in rows(Shape::FromGpr) {
                let (legacy, vex) = (mnemonic(name), vex(name));
                checker.check(&format!("{legacy} {v}, {m}:{bits}"), |asm| asm.sse_from_gpr_m(op, width, x, case.mem));
                checker.check(&format!("{vex} {v}, xmm12, {m}:{bits}"), |asm| {
                    asm.vex_from_gpr_m(op, width, x, Xmm::XMM12, case.mem);
                });
            }
        }
        checker.sized = false;
        for width in WIDTHS {
            for (name, op) in rows(Shape::ToGpr) {
                let r = of(Gpr::R9, width);
                checker.check(&format!("{} {r}, {m}", mnemonic(name)), |asm| {
                    asm.sse_to_gpr_m(op, width, Gpr::R9, case.mem);
                });
                checker.check(&format!("{} {r}, {m}", vex(name)), |asm| {
                    asm.vex_to_gpr_m(op, width, Gpr::R9, case.mem);
                });
            }
        }
        for (width, name, op) in lanes(Shape::Insert) {
            checker.check(&format!("{name} {v}, {m}, 3"), |asm| asm.sse_insert_m(op, width, x, case.mem, 3));
            checker.check(&format!("v{name} {v}, xmm12, {m}, 1"), |asm| {
                asm.vex_insert_m(op, width, x, Xmm::XMM12, (case.mem, 1));
            });
        }
        for (width, name, op) in lanes(Shape::Extract) {
            checker.check(&format!("{name} {m}, {v}, 3"), |asm| asm.sse_extract_m(op, width, case.mem, x, 3));
            checker.check(&format!("v{name} {m}, {v}, 1"), |asm| asm.vex_extract_m(op, width, case.mem, x, 1));
        }
    }
}

#[test]
fn shifts_by_immediates() {
    let mut checker = Checker::unsized_memory();
    for &(name, shift) in SHIFTS {
        for (a, b) in pairs() {
            for count in [0, 15, 64, 255] {
                let name = name.to_lowercase();
                checker.check(&format!("{name} {}, {count}", vector(a)), |asm| asm.sse_shift_i(shift, a, count));
                checker.check(&format!("v{name} {}, {}, {count}", vector(a), vector(b)), |asm| {
                    asm.vex_shift_i(shift, a, b, count);
                });
            }
        }
    }
    for x in xmms() {
        checker.check(&format!("xorps {}, {}", vector(x), vector(x)), |asm| asm.zero_xmm(x));
    }
}

/// Vector forms that name a place in the code, with and without an immediate behind the displacement.
#[test]
fn places_in_the_code() {
    let mut asm = super::Assembler::new();
    let place = Mem::rip(RipLabel::from(asm.label_here()));
    asm.sse_rm(SseOp::MULSD, Xmm::XMM12, place);
    asm.sse_rmi(SseOp::SHUFPS, Xmm::XMM1, place, 9);
    asm.vex_rrm(SseOp::MULSD, Xmm::XMM12, Xmm::XMM2, place);
    asm.vex_rrmi(SseOp::PALIGNR, Xmm::XMM2, Xmm::XMM12, place, 9);
    let code = asm.finish(&super::Assembler::new());
    let texts: Vec<_> = super::decode_all(&code).iter().map(|found| super::show(found, false)).collect();
    assert_eq!(
        texts,
        [
            "mulsd xmm12, [rip:+0]",
            "shufps xmm1, [rip:+0], 9",
            "vmulsd xmm12, xmm2, [rip:+0]",
            "vpalignr xmm2, xmm12, [rip:+0], 9"
        ]
    );
}
