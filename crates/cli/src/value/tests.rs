//! Values as text, both ways.

use upshift::{Val, ValType};

use super::{parse, show};

#[test]
fn integers_are_signed_or_unsigned() {
    let i32_of = |text| parse(text, &ValType::I32).map(|value| show(&value));
    assert_eq!(i32_of("-1"), Ok("-1".to_string()));
    assert_eq!(i32_of("4294967295"), Ok("-1".to_string()));
    assert_eq!(i32_of("0x7fff_ffff"), Ok("2147483647".to_string()));
    assert_eq!(i32_of("-2147483648"), Ok("-2147483648".to_string()));
    for bad in ["", "-", "x", "4294967296", "-2147483649", "1.5", "--1"] {
        assert!(i32_of(bad).is_err(), "{bad}");
    }
    assert!(matches!(parse("0xffff_ffff_ffff_ffff", &ValType::I64), Ok(Val::I64(-1))));
}

#[test]
fn floats_vectors_and_references() {
    assert_eq!(parse("1.5", &ValType::F32).map(|value| show(&value)), Ok("1.5".to_string()));
    assert_eq!(parse("-inf", &ValType::F64).map(|value| show(&value)), Ok("-inf".to_string()));
    let vector = parse("0x10", &ValType::V128).map(|value| show(&value));
    assert_eq!(vector, Ok("0x00000000000000000000000000000010".to_string()));
    assert_eq!(parse("null", &ValType::FUNCREF).map(|value| show(&value)), Ok("null".to_string()));
    assert!(parse("7", &ValType::EXTERNREF).is_err());
}
