//! Options parse to what they say, and unsupported ones explain themselves.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    tiering: Tiering,
}

fn parse(line: &str) -> Result<Tiering, clap::Error> {
    Ok(Line::try_parse_from(std::iter::once("x").chain(line.split_whitespace()))?.tiering)
}

#[test]
fn every_option_reaches_its_field() {
    let line = "--tier baseline --compile hybrid --max-code 16M --tiering-budget 100 --lazy-validation --no-inlining \
                --no-osr --sync-tier-up --stress-code-gc";
    let tiering = parse(line).unwrap();
    assert_eq!(tiering.max_code, Some(16 << 20));
    assert_eq!(tiering.describe(), line.replace("16M", &(16 << 20).to_string()));
    let config = format!("{:?}", tiering.config().unwrap());
    for part in ["strategy: Hybrid", "tier: Baseline", "lazy_validation: true", "tiering_budget: 100", "osr: false"] {
        assert!(config.contains(part), "{part} in {config}");
    }
    for part in ["inlining: false", "max_code_bytes: Some(16777216)", "sync_tier_up: true", "code_gc_stress: true"] {
        assert!(config.contains(part), "{part} in {config}");
    }
}

#[test]
fn nothing_said_is_the_engines_default() {
    let tiering = parse("").unwrap();
    assert_eq!(format!("{:?}", tiering.config().unwrap()), format!("{:?}", Config::new()));
    assert_eq!(tiering.describe(), "--tier auto");
}

#[test]
fn every_tier_of_the_engine_can_be_named() {
    for tier in TierChoice::ALL {
        let tiering = parse(&format!("--tier {}", tier.name())).unwrap();
        assert_eq!(tiering.tier.choice().unwrap(), *tier);
    }
    assert!(parse("--tier interp").unwrap().config().unwrap_err().to_string().contains("--tier baseline"));
}

#[test]
fn nonsense_is_refused() {
    for line in
        ["--tier fast", "--compile never", "--max-code lots", "--tiering-budget 0", "--tiering-budget 3000000000"]
    {
        assert!(parse(line).is_err(), "{line}");
    }
}
