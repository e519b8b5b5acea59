//! What is accepted, and what is shown.

use std::time::Duration;

use super::{parse_directory, parse_duration, parse_size, parse_variable, show_bytes, show_seconds};

#[test]
fn sizes() {
    assert_eq!(parse_size("65536"), Ok(65536));
    assert_eq!(parse_size("4k"), Ok(4096));
    assert_eq!(parse_size("64MiB"), Ok(64 << 20));
    assert_eq!(parse_size("2G"), Ok(2 << 30));
    assert!(parse_size("").is_err() && parse_size("-1").is_err() && parse_size("3x").is_err());
    assert!(parse_size("99999999999999G").is_err());
}

#[test]
fn durations() {
    assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
    assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
    assert_eq!(parse_duration("2"), Ok(Duration::from_secs(2)));
    assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
    assert!(parse_duration("soon").is_err() && parse_duration("-1s").is_err() && parse_duration("1e300h").is_err());
}

#[test]
fn pairs() {
    assert_eq!(parse_variable("A=b=c"), Ok(("A".to_string(), Some("b=c".to_string()))));
    assert_eq!(parse_variable("A"), Ok(("A".to_string(), None)));
    assert!(parse_variable("=x").is_err());
    assert_eq!(parse_directory("a::/b"), Ok(("a".to_string(), "/b".to_string())));
    assert_eq!(parse_directory("."), Ok((".".to_string(), ".".to_string())));
    assert!(parse_directory("::b").is_err());
}

#[test]
fn shown() {
    assert_eq!(show_bytes(5), "5 B");
    assert_eq!(show_bytes(1536), "1.5 KiB");
    assert_eq!(show_bytes(5 << 20), "5.0 MiB");
    assert_eq!(show_seconds(0.0123), "12.30 ms");
    assert_eq!(show_seconds(2.5e-7), "250 ns");
}
