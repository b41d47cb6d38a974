//! Delays that differ from number to number and are the same for a number whenever they are computed: a restart moves no timer.

use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

/// A part of `range`, evenly spread over the numbers. `purpose` keeps two kinds of delay of one number apart.
pub fn jitter(tracking_number: &str, purpose: &str, range: Duration) -> Duration {
    let hash = xxh3_64(format!("{purpose}:{tracking_number}").as_bytes());
    let range = u64::try_from(range.as_micros()).unwrap_or(u64::MAX);
    // The upper half of the product: a share of the range, without the bias of a remainder.
    let share = u128::from(hash).saturating_mul(u128::from(range)) >> 64;
    Duration::from_micros(u64::try_from(share).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_always_and_spread_evenly() {
        let range = Duration::from_mins(5);
        let of = |number: usize| jitter(&format!("YT{number:013}"), "test", range);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), jitter("YT0000000000001", "other", range));
        let first_half = (0..10_000).filter(|number| of(*number) < range / 2).count();
        assert!((4_800..5_200).contains(&first_half), "{first_half}");
        assert!((0..10_000).all(|number| of(number) < range));
        assert_eq!(jitter("YT1", "test", Duration::ZERO), Duration::ZERO);
    }
}
