//! How many calls an account may have at the same time and in a second. Several workers share an account by their partitions: each
//! takes as large a share of its limits.

use std::num::NonZeroU32;
use std::time::Duration;

use courierflow_schemas::records::TimestampMicros;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The limits of an account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Calls a second, of all workers together.
    pub per_second: f64,
    /// Calls at the same time, of all workers together.
    pub concurrency: usize,
}

/// The limits of an account and what is left of them.
#[derive(Debug)]
pub struct Limiter<C: Clock = MonotonicClock> {
    limits: Limits,
    clock: C,
    share: f64,
    slow_until: Option<TimestampMicros>,
    in_flight: usize,
    bucket: Bucket<C>,
}

impl Limiter {
    /// All of the limits.
    pub fn new(limits: Limits) -> Self {
        Self::with_clock(limits, MonotonicClock)
    }
}

impl<C: Clock + Clone> Limiter<C> {
    fn with_clock(limits: Limits, clock: C) -> Self {
        Self {
            limits,
            share: 1.0,
            slow_until: None,
            in_flight: 0,
            bucket: bucket(limits.per_second, clock.clone()),
            clock,
        }
    }

    /// Takes the share of a worker that has so many of all partitions.
    pub fn share(&mut self, owned: usize, all: usize) {
        #[expect(clippy::cast_precision_loss, reason = "numbers of partitions")]
        let share = if all == 0 { 1.0 } else { owned as f64 / all as f64 };
        if (share - self.share).abs() > f64::EPSILON {
            self.share = share;
            self.refit();
        }
    }

    /// Halves the rate until then.
    pub fn slow_down(&mut self, until: TimestampMicros) {
        let is_slow = self.slow_until.is_some();
        self.slow_until = self.slow_until.max(Some(until));
        if !is_slow {
            self.refit();
        }
    }

    /// Takes one call, if there is one left now. It is to be [given back](Self::give_back) at its end.
    pub fn take(&mut self, now: TimestampMicros) -> bool {
        if self.slow_until.is_some_and(|until| until <= now) {
            self.slow_until = None;
            self.refit();
        }
        let is_free = self.in_flight < self.concurrency() && self.bucket.check().is_ok();
        self.in_flight += usize::from(is_free);
        is_free
    }

    /// A call has ended.
    pub fn give_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Calls that have not ended.
    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }

    fn concurrency(&self) -> usize {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a small number"
        )]
        let shared = (self.limits.concurrency as f64 * self.share).ceil() as usize;
        shared.max(1)
    }

    fn refit(&mut self) {
        let slow = if self.slow_until.is_some() { 0.5 } else { 1.0 };
        self.bucket = bucket(self.limits.per_second * self.share * slow, self.clock.clone());
    }
}

/// As many at once as come in a second, at least one.
fn bucket<C: Clock + Clone>(per_second: f64, clock: C) -> Bucket<C> {
    const SLOWEST: f64 = 1.0 / 3_600.0;
    let per_second = per_second.max(SLOWEST);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let burst = NonZeroU32::new(per_second as u32).unwrap_or(NonZeroU32::MIN);
    let period = Duration::from_secs_f64(1.0 / per_second);
    let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN));
    RateLimiter::direct_with_clock(quota.allow_burst(burst), clock)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const NOW: TimestampMicros = TimestampMicros(0);

    fn limiter(per_second: f64, concurrency: usize) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let limits = Limits {
            per_second,
            concurrency,
        };
        (Limiter::with_clock(limits, clock.clone()), clock)
    }

    /// How many calls can be made one after the other.
    fn taken(limiter: &mut Limiter<FakeRelativeClock>, now: TimestampMicros) -> usize {
        let mut count = 0;
        while limiter.take(now) {
            limiter.give_back();
            count += 1;
        }
        count
    }

    #[test]
    fn no_more_at_a_time_and_no_more_a_second() {
        let (mut limiter, clock) = limiter(10.0, 3);
        assert_eq!((0..5).filter(|_| limiter.take(NOW)).count(), 3);
        assert_eq!(limiter.in_flight(), 3);
        (0..3).for_each(|_| limiter.give_back());
        assert_eq!(taken(&mut limiter, NOW), 7);
        clock.advance(Duration::from_millis(100));
        assert_eq!(taken(&mut limiter, NOW), 1);
        clock.advance(Duration::from_secs(5));
        assert_eq!(taken(&mut limiter, NOW), 10);
    }

    #[test]
    fn a_worker_takes_the_share_of_its_partitions() {
        let (mut limiter, _) = limiter(8.0, 8);
        limiter.share(2, 8);
        assert_eq!((0..9).filter(|_| limiter.take(NOW)).count(), 2);
        (0..2).for_each(|_| limiter.give_back());
        limiter.share(0, 8);
        assert_eq!(taken(&mut limiter, NOW), 1, "not even none stops for ever");
    }

    #[test]
    fn a_vendor_with_too_much_to_do_is_asked_half_as_often_for_a_while() {
        let (mut limiter, clock) = limiter(10.0, 100);
        limiter.slow_down(TimestampMicros(60));
        assert_eq!(taken(&mut limiter, NOW), 5);
        clock.advance(Duration::from_secs(1));
        assert_eq!(taken(&mut limiter, TimestampMicros(59)), 5);
        assert_eq!(taken(&mut limiter, TimestampMicros(60)), 10);
    }

    #[test]
    fn less_than_one_a_second_is_possible() {
        let (mut limiter, clock) = limiter(0.5, 8);
        assert_eq!(taken(&mut limiter, NOW), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(taken(&mut limiter, NOW), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(taken(&mut limiter, NOW), 1);
    }
}
