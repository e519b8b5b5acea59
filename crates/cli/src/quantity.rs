//! Sizes, durations and pairs, as they are written on the command line and shown to people.

use std::time::Duration;

/// Bytes: a number, optionally with `K`, `M` or `G` (powers of 1024), as in `64M`.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        unit => return Err(format!("unknown unit `{unit}`: expected bytes such as 65536, 512K, 64M or 2G")),
    };
    let number: u64 = digits.parse().map_err(|_| "expected bytes such as 65536, 512K, 64M or 2G".to_string())?;
    number.checked_mul(unit).ok_or_else(|| "that is too much".to_string())
}

/// A duration: a number with `ns`, `us`, `ms`, `s`, `m` or `h`, as in `1.5s`. Without a unit, seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("unknown unit `{unit}`: expected a duration such as 500ms, 2s or 1.5m")),
    };
    let number: f64 = digits.parse().map_err(|_| "expected a duration such as 500ms, 2s or 1.5m".to_string())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "expected a duration that is not negative".to_string())
}

/// `NAME=VALUE`, or `NAME` alone.
pub(crate) fn parse_variable(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_string())),
        None => (text, None),
    };
    if name.is_empty() { Err("expected NAME or NAME=VALUE".to_string()) } else { Ok((name.to_string(), value)) }
}

/// `HOST::GUEST`, or a path that is both.
pub(crate) fn parse_directory(text: &str) -> Result<(String, String), String> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    if host.is_empty() || guest.is_empty() {
        return Err("expected a directory, or HOST::GUEST".to_string());
    }
    Ok((host.to_string(), guest.to_string()))
}

/// Bytes for people, three digits or so.
pub(crate) fn show_bytes(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "shown with two decimals")]
    let number = bytes as f64;
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{:.1} KiB", number / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", number / 1_048_576.0),
        1_073_741_824.. => format!("{:.2} GiB", number / 1_073_741_824.0),
    }
}

/// A duration for people, three digits or so.
pub(crate) fn show_seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.3} s"),
    }
}

#[cfg(test)]
mod tests;
