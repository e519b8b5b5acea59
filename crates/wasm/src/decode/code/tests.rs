//! Every row of the operator table, whole bodies against another reader, and bytes at random.

use super::BodyReader;
use crate::decode::error::DecodeError;
use crate::ops::{LoadKind, Numeric, SimdPlain, StoreKind};
use crate::samples::{Random, decode_default, modules, smith};

fn leb(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The name and text of the only operator in `bytes`.
fn one(bytes: &[u8]) -> (String, String) {
    let mut reader = BodyReader::new(bytes, 0);
    let (op, at) = reader.next_operator().expect("a well-formed operator").expect("an operator");
    assert_eq!(at, 0);
    assert!(reader.is_empty(), "{op} leaves bytes");
    (op.name().to_string(), op.to_string())
}

#[test]
fn every_plain_row_decodes() {
    let mut seen = 0;
    for code in 0..0x200 {
        if let Some(op) = Numeric::from_opcode(code) {
            assert_eq!(one(&[code as u8]).1, op.name());
            seen += 1;
        }
        for (prefix, op) in [
            (0xfc, Numeric::from_fc_opcode(code).map(Numeric::name)),
            (0xfd, SimdPlain::from_fd_opcode(code).map(SimdPlain::name)),
        ] {
            let Some(name) = op else { continue };
            let mut bytes = vec![prefix];
            leb(code, &mut bytes);
            assert_eq!(one(&bytes).1, name);
            seen += 1;
        }
    }
    assert_eq!(seen, Numeric::ALL.len() + SimdPlain::ALL.len());
    assert_eq!((Numeric::ALL.len(), SimdPlain::ALL.len()), (140, 218));
}

#[test]
fn every_access_decodes() {
    let mut seen = 0;
    for code in 0x28..=0x3e {
        let (name, text) = one(&[code, 0x40 | 1, 3, 0x80, 0x01]);
        assert!(text.starts_with(&format!("{name} 3 offset=128")), "{text}");
        let known = LoadKind::from_opcode(code).map(LoadKind::name);
        assert_eq!(Some(&*name), known.or(StoreKind::from_opcode(code).map(StoreKind::name)));
        seen += 1;
    }
    assert_eq!(seen, LoadKind::ALL.len() + StoreKind::ALL.len());
}

#[test]
fn text() {
    for (bytes, text) in [
        (&[0x02, 0x40][..], "block"),
        (&[0x03, 0x7f], "loop (result i32)"),
        (&[0x04, 0x05], "if (type 5)"),
        (&[0x0e, 2, 1, 0x80, 0x01, 3], "br_table 1 128 3"),
        (&[0x11, 4, 0], "call_indirect (type 4)"),
        (&[0x13, 4, 2], "return_call_indirect 2 (type 4)"),
        (&[0x1c, 1, 0x6f], "select (result externref)"),
        (&[0x41, 0x7e], "i32.const -2"),
        (&[0x43, 0, 0, 0xc0, 0x7f], "f32.const nan"),
        (&[0x43, 1, 0, 0xc0, 0xff], "f32.const -nan:0x400001"),
        (&[0x43, 0, 0, 0x80, 0xff], "f32.const -inf"),
        (&[0x43, 0, 0, 0x80, 0x3f], "f32.const 1.0"),
        (&[0x28, 2, 4], "i32.load offset=4"),
        (&[0x28, 0, 4], "i32.load offset=4 align=1"),
        (&[0xd0, 0x70], "ref.null func"),
        (&[0xfc, 8, 3, 0], "memory.init 3"),
        (&[0xfc, 12, 3, 1], "table.init 1 3"),
        (&[0xfd, 21, 7], "i8x16.extract_lane_s 7"),
        (&[0xfd, 84, 0, 0, 7], "v128.load8_lane 7"),
        (&[0xfd, 93, 3, 0], "v128.load64_zero"),
    ] {
        assert_eq!(one(bytes).1, text);
    }
}

#[test]
fn unsupported_opcodes_name_their_proposal() {
    for (bytes, proposal) in [
        (&[0xfe_u8, 0][..], "threads"),
        (&[0xfb, 0], "gc"),
        (&[0x06, 0x40], "legacy-exceptions"),
        (&[0x1f, 0x40], "exception-handling"),
    ] {
        let fault = BodyReader::new(bytes, 0x10).next_operator().expect_err("unsupported");
        assert_eq!(fault.to_string(), format!("the {proposal} proposal is not supported (at offset 0x10)"));
    }
    let fault = BodyReader::new(&[0x27], 7).next_operator().expect_err("no such opcode");
    assert_eq!(fault.to_string(), "illegal opcode 0x27 (at offset 0x7)");
}

/// Names without the differences of style.
fn plain(name: &str) -> String {
    let name = name.split([' ', '{', '(']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !"._".contains(*c)).collect();
    name.to_lowercase()
}

#[test]
fn agrees_with_another_reader() {
    let mut operators = 0;
    for bytes in modules().into_iter().chain(smith(150)) {
        let decoded = decode_default(&bytes).expect("a valid module");
        for range in &decoded.info.bodies {
            let body = &bytes[range.clone()];
            let mut ours = BodyReader::new(body, range.start);
            let locals: u32 = ours.locals().expect("locals").iter().map(|run| run.0).sum();
            let theirs = wasmparser::FunctionBody::new(wasmparser::BinaryReader::new(body, range.start as u64));
            let their_locals = theirs.get_locals_reader().expect("locals").into_iter();
            assert_eq!(locals, their_locals.map(|run| run.expect("locals").0).sum());
            let mut theirs = theirs.get_operators_reader().expect("operators");
            while !theirs.eof() {
                let (their_op, their_at) = theirs.read_with_offset().expect("operator");
                let (op, at) = ours.next_operator().expect("operator").expect("an operator");
                assert_eq!(at as u64, their_at);
                let their_name = plain(&format!("{their_op:?}"));
                let their_name = if their_name == "typedselect" { "select" } else { &their_name };
                assert_eq!(plain(op.name()), their_name);
                operators += 1;
            }
            assert!(ours.is_empty());
        }
    }
    assert!(operators > 10_000, "only {operators} operators compared");
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let len = random.below(40);
        let bytes = random.bytes(len);
        let mut reader = BodyReader::new(&bytes, 0);
        let _ = reader.locals();
        let fault: Result<(), DecodeError> = loop {
            match reader.next_operator() {
                Ok(Some((op, _))) => drop(op.to_string()),
                Ok(None) => break Ok(()),
                Err(fault) => break Err(fault),
            }
        };
        if let Err(fault) = fault {
            assert!(fault.offset() <= len);
        }
    }
}
