//! Histograms at the edges of buckets, and quantiles against sorted values.

use super::*;

#[test]
fn values_go_where_their_bits_say() {
    for (value, bits) in [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (255, 8), (256, 9), (u64::MAX, 64)] {
        assert_eq!(bucket(value), bits, "{value}");
        assert!(first_of(bits) <= value && value <= last_of(bits), "{value}");
    }
}

#[test]
fn nothing_has_no_quantile() {
    let empty = Histogram::default().read();
    assert_eq!((empty.count(), empty.quantile(0.5), empty.mean(), empty.max()), (0, None, None, 0));
    assert_eq!(empty, Distribution::default());
}

#[test]
fn quantiles_are_right_within_a_factor_of_two() {
    let histogram = Histogram::default();
    let mut values: Vec<u64> = (0..1000u64).map(|n| n * n * 37 % 100_003 + 1).collect();
    values.iter().for_each(|&value| histogram.add(value));
    values.sort_unstable();
    let copy = histogram.read();
    assert_eq!((copy.count(), copy.sum()), (1000, values.iter().sum()));
    assert_eq!(copy.max(), values[999]);
    for (quantile, at) in [(0.001, 0), (0.5, 499), (0.9, 899), (0.99, 989), (1.0, 999)] {
        let (guess, exact) = (copy.quantile(quantile).unwrap(), values[at]);
        assert!(guess <= exact * 2 && exact <= guess * 2, "{quantile}: {guess} for {exact}");
    }
    assert_eq!(copy.quantile(1.0), Some(values[999]));
    assert_eq!(copy.quantile(f64::NAN), copy.quantile(0.0));
}

#[test]
fn the_largest_values_do_not_overflow() {
    let histogram = Histogram::default();
    histogram.add(u64::MAX);
    let copy = histogram.read();
    assert_eq!((copy.quantile(0.5), copy.at_most_bits(63), copy.at_most_bits(64)), (Some(u64::MAX), 0, 1));
}

#[test]
fn threads_add_together() {
    let (histogram, counter) = (Histogram::default(), Counter::default());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (histogram, counter) = (&histogram, &counter);
            scope.spawn(move || {
                (0..1000).for_each(|_| {
                    histogram.add(thread);
                    counter.add(2);
                });
            });
        }
    });
    assert_eq!((histogram.read().count(), histogram.read().sum(), counter.get()), (4000, 6000, 8000));
    assert_eq!(histogram.read().at_most_bits(1), 2000);
}
