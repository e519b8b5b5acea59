//! Numbers at the edges of their ranges.

use super::Reader;

fn u32_of(bytes: &[u8]) -> Result<u32, String> {
    Reader::new(bytes, 0).var_u32().map_err(|fault| fault.to_string())
}

fn i32_of(bytes: &[u8]) -> Result<i32, String> {
    Reader::new(bytes, 0).var_i32().map_err(|fault| fault.to_string())
}

fn i64_of(bytes: &[u8]) -> Result<i64, String> {
    Reader::new(bytes, 0).var_i64().map_err(|fault| fault.to_string())
}

#[test]
fn unsigned() {
    assert_eq!(u32_of(&[0x7f]), Ok(127));
    assert_eq!(u32_of(&[0x80, 0x01]), Ok(128));
    assert_eq!(u32_of(&[0x80, 0x80, 0x80, 0x80, 0x00]), Ok(0));
    assert_eq!(u32_of(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(u32::MAX));
    assert_eq!(u32_of(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Err("integer too large (at offset 0x4)".into()));
    let long = "integer representation too long (at offset 0x4)";
    assert_eq!(u32_of(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), Err(long.into()));
    assert_eq!(u32_of(&[0x80]), Err("unexpected end of bytes (at offset 0x1)".into()));
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(Reader::new(&most, 0).var_u64().ok(), Some(u64::MAX));
    let more = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
    assert!(Reader::new(&more, 0).var_u64().is_err());
}

#[test]
fn signed() {
    assert_eq!(i32_of(&[0x7f]), Ok(-1));
    assert_eq!(i32_of(&[0x3f]), Ok(63));
    assert_eq!(i32_of(&[0x40]), Ok(-64));
    assert_eq!(i32_of(&[0x80, 0x7f]), Ok(-128));
    assert_eq!(i32_of(&[0x80, 0x80, 0x80, 0x80, 0x78]), Ok(i32::MIN));
    assert_eq!(i32_of(&[0xff, 0xff, 0xff, 0xff, 0x07]), Ok(i32::MAX));
    assert_eq!(i32_of(&[0xff, 0xff, 0xff, 0xff, 0x7f]), Ok(-1));
    assert!(i32_of(&[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
    assert!(i32_of(&[0x80, 0x80, 0x80, 0x80, 0x70]).is_err());
    let least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
    assert_eq!(i64_of(&least), Ok(i64::MIN));
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00];
    assert_eq!(i64_of(&most), Ok(i64::MAX));
    let wrong = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert!(i64_of(&wrong).is_err());
}

#[test]
fn names_and_types() {
    assert_eq!(Reader::new(b"\x02hi", 0).name("name").ok(), Some("hi"));
    assert!(Reader::new(b"\x02h", 0).name("name").is_err());
    assert!(Reader::new(b"\x02\xff\xff", 0).name("name").is_err());
    let types =
        [(&b"\x7f"[..], "i32"), (b"\x70", "funcref"), (b"\x63\x05", "(ref null 5)"), (b"\x64\x70", "(ref func)")];
    for (bytes, text) in types {
        let ty = Reader::new(bytes, 0).val_type().map(|ty| ty.to_string());
        assert_eq!(ty.ok().as_deref(), Some(text));
    }
    assert!(Reader::new(b"\x40", 0).val_type().is_err());
}
