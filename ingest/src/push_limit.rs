//! How many pushes a minute one account may send (`max_pushes_per_minute`), so that accounts that share a service cannot take it
//! from each other. It is asked after the signature was checked: a stranger cannot use up what belongs to an account.

use std::num::NonZeroU32;
use std::time::Duration;

use courierflow_schemas::records::Signature;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The limit of one account and what is left of it.
#[derive(Debug)]
pub struct PushLimit<C: Clock = MonotonicClock> {
    /// Pushes with a valid signature.
    signed: Bucket<C>,
    /// Pushes without one, which anybody can send to an account that takes them: they have a budget of their own, as large.
    unsigned: Bucket<C>,
}

impl PushLimit {
    /// A full budget. It refills evenly: after a pause, as many pushes as a minute has may come at once.
    pub fn per_minute(pushes: NonZeroU32) -> Self {
        Self::with_clock(pushes, MonotonicClock)
    }
}

impl<C: Clock + Clone> PushLimit<C> {
    fn with_clock(pushes: NonZeroU32, clock: C) -> Self {
        let bucket = |clock| RateLimiter::direct_with_clock(Quota::per_minute(pushes), clock);
        Self {
            signed: bucket(clock.clone()),
            unsigned: bucket(clock),
        }
    }

    /// Takes one push off the budget. If there is nothing left: the time until there is.
    pub fn take(&self, signature: Signature) -> Result<(), Duration> {
        let bucket = match signature {
            Signature::Verified => &self.signed,
            Signature::Unsigned => &self.unsigned,
        };
        bucket
            .check()
            .map_err(|not_until| not_until.wait_time_from(bucket.clock().now()))
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit(pushes: u32) -> (PushLimit<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (
            PushLimit::with_clock(NonZeroU32::new(pushes).unwrap(), clock.clone()),
            clock,
        )
    }

    #[test]
    fn a_minutes_worth_at_once_and_then_one_at_a_time() {
        let (limit, clock) = limit(6);
        for push in 0..6 {
            assert_eq!(limit.take(Signature::Verified), Ok(()), "{push}");
        }
        assert_eq!(limit.take(Signature::Verified), Err(Duration::from_secs(10)));
        clock.advance(Duration::from_secs(4));
        // A refused push does not put the next one off.
        assert_eq!(limit.take(Signature::Verified), Err(Duration::from_secs(6)));
        clock.advance(Duration::from_secs(6));
        assert_eq!(limit.take(Signature::Verified), Ok(()));
        assert_eq!(limit.take(Signature::Verified), Err(Duration::from_secs(10)));
        clock.advance(Duration::from_hours(1));
        assert_eq!((0..100).filter(|_| limit.take(Signature::Verified).is_ok()).count(), 6);
    }

    #[test]
    fn who_cannot_sign_does_not_use_up_what_is_signed() {
        let (limit, _) = limit(3);
        let taken = |signature| (0..100).filter(|_| limit.take(signature).is_ok()).count();
        assert_eq!(taken(Signature::Unsigned), 3);
        assert_eq!(taken(Signature::Verified), 3);
    }
}
