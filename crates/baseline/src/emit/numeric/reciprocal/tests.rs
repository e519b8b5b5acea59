//! Reciprocals against division, at the edges of the range and of multiples of the divisor.

use super::Reciprocal;

/// Divisors of every size that are no powers of two.
fn divisors() -> impl Iterator<Item = u32> {
    let edges = (2..32).flat_map(|power| [(1u32 << power) - 1, (1 << power) + 1, (1 << power) + (1 << (power - 1))]);
    (3..2000).chain(edges).chain([1_000_000_007, u32::MAX - 1, u32::MAX]).filter(|divisor| !divisor.is_power_of_two())
}

/// Numbers at which a quotient changes.
fn dividends(divisor: u32) -> impl Iterator<Item = u32> {
    let multiples = (0..64u32).map(move |k| divisor.wrapping_mul(k.wrapping_mul(0x0400_0001)));
    let last = u32::MAX / divisor * divisor;
    let half = (u32::MAX >> 1) / divisor * divisor;
    multiples.chain([last, half, 1 << 31, u32::MAX]).flat_map(|n| [n.wrapping_sub(1), n, n.wrapping_add(1)])
}

#[test]
fn unsigned() {
    let mut found = 0;
    for divisor in divisors() {
        let Some(Reciprocal { multiplier, shift }) = Reciprocal::unsigned(divisor) else { continue };
        found += 1;
        for n in dividends(divisor) {
            let quotient = u64::from(n).checked_mul(multiplier.into()).expect("64 bits hold the product") >> shift;
            assert_eq!(quotient, u64::from(n / divisor), "{n} / {divisor}");
        }
    }
    assert!(found > 1000, "most divisors have a reciprocal: {found}");
    assert!([3, 5, 10, 100, 1000].into_iter().all(|divisor| Reciprocal::unsigned(divisor).is_some()));
    assert_eq!(Reciprocal::unsigned(7), None);
}

#[test]
fn signed() {
    for divisor in divisors().filter(|&divisor| divisor <= i32::MAX.cast_unsigned()) {
        let Reciprocal { multiplier, shift } = Reciprocal::signed(divisor).expect("all have one");
        for n in dividends(divisor).map(u32::cast_signed) {
            let product = i64::from(n).checked_mul(multiplier.into()).expect("64 bits hold the product");
            let quotient = (product >> shift) + i64::from(n < 0);
            assert_eq!(quotient, i64::from(n) / i64::from(divisor), "{n} / {divisor}");
        }
    }
}
