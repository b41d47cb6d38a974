//! Everything about an account that the configuration says, and every delay. Nothing else in these rooms has a duration of its own, so
//! that a demonstration can run thousands of times faster.

use std::time::Duration;

use courierflow_schemas::records::{Product, Vendor};

/// A contract with a vendor, as far as subscribing depends on it.
#[derive(Clone, Debug)]
pub struct AccountTerms {
    /// The vendor.
    pub vendor: Vendor,
    /// Name of the account.
    pub account: String,
    /// Name of the API that is called.
    pub api: String,
    /// What is asked for unless the request says.
    pub product: Product,
    /// How long a request without `not_before` waits.
    pub delay: Duration,
    /// Accepted subscriptions of a number in a China month; `None`: any number.
    pub max_subscriptions_per_month: Option<u16>,
    /// What the vendor's word for a repeated subscription can mean.
    pub duplicate: DuplicateMeans,
    /// After the vendor gave up because it found no record.
    pub no_record: Resubscription,
    /// After the vendor gave up because nothing changed.
    pub stale: AfterStale,
    /// A followed parcel that has been at its end for so long is done, whether the vendor says so or not.
    pub end_after: Duration,
    /// Whether the vendor shall detect the carrier once after it refused the one that was given.
    pub detects_on_reject: bool,
    /// The account to ask when this one's API cannot resolve the places.
    pub fallback_account: Option<String>,
    /// All delays.
    pub delays: Delays,
}

/// When and how often to subscribe again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resubscription {
    /// At the earliest so long after the vendor gave up …
    pub pause: Duration,
    /// … and up to so much later, so that many numbers do not come at once.
    pub jitter: Duration,
    /// Rounds in all, the first included.
    pub rounds: u16,
}

/// What to do after nothing changed for so long that the vendor gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterStale {
    /// Ask the vendor about the parcel, and subscribe again only if there is news.
    AskFirst(Resubscription),
    /// Subscribe again.
    Resubscribe(Resubscription),
}

/// What the vendor's word for a repeated subscription can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateMeans {
    /// The vendor follows the parcel for us.
    Followed,
    /// The number is registered: it is followed, or was and can be once more, which the call of a further round tells.
    Registered,
    /// Many things; what is known of the subscription decides.
    Several,
}

/// Every delay of subscribing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays {
    /// Before each repetition of a call that failed. After the last one the subscription is given up.
    pub retry: Vec<Duration>,
    /// Before the first repetition of a call whose answer was lost.
    pub in_doubt: Duration,
    /// Before the repetition of a call that came too fast, unless the vendor says how long.
    pub throttled: Duration,
    /// For so long after such a call the account's rate is halved.
    pub slow_down: Duration,
    /// Before the repetition of a call that could not be sent; doubled each time …
    pub unsent: Duration,
    /// … up to this.
    pub unsent_longest: Duration,
    /// People are told after calls could not be sent for so long.
    pub unsent_alarm: Duration,
    /// Between two tries of a stopped account.
    pub probe: Duration,
    /// The vendor takes a new subscription so long after the end of the last one.
    pub after_end: Duration,
    /// Before the one repetition of a call that the vendor took for one too many, and nobody knows why.
    pub unexplained: Duration,
    /// For so long after the turn of a month the vendor's clock may still show the old one.
    pub month_turn: Duration,
    /// Before the repetition of a call for which the vendor could not detect the carrier, unless a call of the account was accepted
    /// within the same time.
    pub not_recognised: Duration,
    /// The first push is late after this.
    pub first_push_late: Duration,
    /// A parcel that the vendor does not follow, and that has been at its end for so long, is done.
    pub fallback_end: Duration,
    /// A parcel that the vendor does not follow is given up after this.
    pub fallback: Duration,
    /// A number without quota wakes so long after the turn of the month …
    pub quota_wake: Duration,
    /// … and up to so much later.
    pub quota_wake_jitter: Duration,
    /// A call is given up after this.
    pub call_timeout: Duration,
    /// A subscription is forgotten so long after its end.
    pub forget: Duration,
}

impl Default for Delays {
    /// As the vendors' documents suggest.
    fn default() -> Self {
        Self {
            retry: vec![
                Duration::from_mins(1),
                Duration::from_mins(5),
                Duration::from_mins(15),
                Duration::from_hours(1),
                Duration::from_hours(4),
                Duration::from_hours(4),
            ],
            in_doubt: Duration::from_secs(10),
            throttled: Duration::from_secs(5),
            slow_down: Duration::from_mins(1),
            unsent: Duration::from_secs(5),
            unsent_longest: Duration::from_mins(5),
            unsent_alarm: Duration::from_mins(15),
            probe: Duration::from_mins(10),
            after_end: Duration::from_mins(30),
            unexplained: Duration::from_hours(4),
            month_turn: Duration::from_hours(1),
            not_recognised: Duration::from_mins(10),
            first_push_late: Duration::from_hours(24),
            fallback_end: Duration::from_hours(24),
            fallback: Duration::from_hours(30 * 24),
            quota_wake: Duration::from_mins(10),
            quota_wake_jitter: Duration::from_hours(6),
            call_timeout: Duration::from_secs(10),
            forget: Duration::from_hours(40 * 24),
        }
    }
}
