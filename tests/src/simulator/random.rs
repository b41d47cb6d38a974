//! Draws from a seeded generator.

/// A stream of draws that is the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random(fastrand::Rng);

impl Random {
    /// A stream named by three numbers, such as the seed, the time and the index of a parcel: neighbours are independent.
    pub fn new(seed: u64, stream: u64, index: u64) -> Self {
        Self(fastrand::Rng::with_seed(mix(seed ^ mix(stream ^ mix(index)))))
    }

    /// True with probability `share` (0 to 1).
    pub fn chance(&mut self, share: f64) -> bool {
        self.0.f64() < share
    }

    /// Evenly between `low` and `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.f64()
    }

    /// A whole number in `low..=high`.
    pub fn whole(&mut self, low: i64, high: i64) -> i64 {
        self.0.i64(low..=high)
    }

    /// Skewed to the right as durations are: half of the draws lie below `median`, `spread` is the sigma of the logarithm.
    pub fn duration(&mut self, median: f64, spread: f64) -> f64 {
        // The sum of twelve even draws is close enough to a normal one, and has no tail to guard against.
        let normal: f64 = (0..12).map(|_| self.0.f64()).sum::<f64>() - 6.0;
        median * (normal * spread).exp()
    }

    /// One of a non-empty list.
    #[expect(
        clippy::indexing_slicing,
        reason = "the index is below the length; the lists are tables of this module's siblings"
    )]
    pub fn pick<'list, T>(&mut self, list: &'list [T]) -> &'list T {
        &list[self.0.usize(..list.len())]
    }

    /// One of a non-empty list, in proportion to its weight.
    pub fn weighted<'list, T>(&mut self, list: &'list [T], weight: impl Fn(&T) -> u32) -> &'list T {
        let total: u32 = list.iter().map(&weight).sum();
        let mut rest = self.0.u32(..total.max(1));
        for item in list {
            let share = weight(item);
            if rest < share {
                return item;
            }
            rest -= share;
        }
        self.pick(list)
    }

    /// Decimal digits, the first of them not 0.
    pub fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|place| self.0.digit(10).max(if place == 0 { '1' } else { '0' }))
            .collect()
    }
}

/// The finaliser of `SplitMix64`: every bit of the input moves every bit of the output.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
