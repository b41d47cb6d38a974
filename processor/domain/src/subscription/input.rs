//! What can happen to a subscription, and what follows from it.

use std::time::Duration;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{
    CallClass, CallId, CallReason, Reason, Status, Subscription, SubscriptionRequest, SubscriptionSecret,
    TimestampMicros, Vendor,
};
use courierflow_vendors::api::answer as api;
use courierflow_vendors::reading;
use courierflow_vendors::snapshot::TrackingWord;

/// Something that happens to a subscription.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Somebody asks for it, or for its end.
    Request(Request<'a>),
    /// The vendor pushed something about the parcel.
    Push(&'a PushWord),
    /// The same, while the call that the subscription waits for was not made yet: it stands in line.
    PushBeforeCall(&'a PushWord),
    /// The vendor was asked about the parcel, because it does not follow it.
    Queried {
        /// Whether the answer brought an event that was not known.
        brings_news: bool,
    },
    /// What is derived of the parcel: its end, or `None` when it is under way (again).
    Parcel(Option<ParcelEnd>),
    /// The vendor's answer to a call.
    Answer(&'a Answer),
    /// `not_before` has come, or the account goes on.
    Due,
    /// The stopped account is to be tried with this subscription.
    Probe,
    /// The state was read back after a restart.
    Restored,
}

/// A request whose account and carrier are known.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The request.
    pub asked: &'a SubscriptionRequest,
    /// Its carrier.
    pub carrier: &'a CarrierCodes,
}

/// A carrier in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarrierCodes {
    /// Canonical code; `unknown` if the vendor shall detect it.
    pub canonical: String,
    /// The vendor's code; empty if the vendor shall detect it.
    pub vendors: String,
}

/// What a push says about the subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushWord {
    /// The vendor's word.
    pub word: TrackingWord,
    /// Whether the push has any line.
    pub has_items: bool,
    /// How the parcel has ended, where the vendor has no word for the end of a subscription.
    pub end: Option<Status>,
    /// The carrier that the push names.
    pub carrier: Option<CarrierCodes>,
    /// The other carrier under which the vendor follows the parcel from now on.
    pub corrected_to: Option<CarrierCodes>,
}

impl PushWord {
    /// From what the vendor's room has read. `carriers` says what the vendor's codes mean.
    pub fn of(vendor: Vendor, read: &reading::PushWord<'_>, carriers: &Carriers) -> Self {
        let codes = |code: &str| CarrierCodes {
            canonical: carriers.canonical(vendor, code).into_owned(),
            vendors: code.to_owned(),
        };
        let corrected = read
            .new_carrier
            .as_deref()
            .filter(|_| read.tracking == TrackingWord::Corrected);
        Self {
            word: read.tracking,
            has_items: read.has_items,
            end: read.end,
            carrier: read.carrier.as_deref().map(codes),
            corrected_to: corrected.map(codes),
        }
    }
}

/// The parcel has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParcelEnd {
    /// DELIVERED, RETURNED or CANCELLED.
    pub status: Status,
    /// Since when.
    pub since: TimestampMicros,
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which call.
    pub call_id: CallId,
    /// When it began: its month is charged.
    pub started_at: TimestampMicros,
    /// What the answer means.
    pub outcome: Outcome,
    /// The vendor's code.
    pub code: Option<String>,
}

/// What the answer to a call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The vendor follows the parcel.
    Done,
    /// The vendor says that the number is subscribed already.
    Duplicate,
    /// The vendor failed.
    Retry,
    /// An answer that is in no table: as [`Self::Retry`], with an alarm.
    Unheard,
    /// Too many calls; the vendor may say how long to wait.
    Throttled(Option<Duration>),
    /// Nothing was sent: refused connections, unknown hosts, failed TLS.
    Unsent,
    /// The call may have arrived, but its answer was lost or cannot be read.
    Unanswered,
    /// The same, and what was read instead is in no table: with an alarm.
    UnheardInDoubt,
    /// The vendor will never take this call.
    Rejected(Reason),
    /// The key is wrong, or no units are left.
    Account,
}

impl Outcome {
    /// The outcome of a call to subscribe, from what the vendor's room has read.
    pub fn of(answer: &api::Answer) -> Self {
        match answer.class {
            CallClass::Done => Self::Done,
            CallClass::Duplicate => Self::Duplicate,
            CallClass::Account => Self::Account,
            CallClass::Rejected => Self::Rejected(answer.reason.unwrap_or(Reason::BadData)),
            CallClass::Unknown if answer.is_unlisted => Self::UnheardInDoubt,
            CallClass::Unknown => Self::Unanswered,
            CallClass::Retry | CallClass::NoResult if !answer.is_attempt && answer.slow_down => {
                Self::Throttled(answer.retry_after)
            }
            CallClass::Retry | CallClass::NoResult if !answer.is_attempt => Self::Unsent,
            CallClass::Retry | CallClass::NoResult if answer.is_unlisted => Self::Unheard,
            CallClass::Retry | CallClass::NoResult => Self::Retry,
        }
    }
}

/// What follows from an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The new state; `None` if there is no subscription.
    pub state: Option<Subscription>,
    /// What is to be done, in this order.
    pub effects: Vec<Effect>,
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Produce the new state.
    Emit,
    /// Produce the secret of the subscription.
    WriteSecret(Box<SubscriptionSecret>),
    /// Produce the tombstone of the secret.
    DropSecret,
    /// After the commit, call the vendor.
    Call(Call),
    /// Count a request.
    Count(RequestOutcome),
    /// Count a further round.
    Resubscribed(Reason),
    /// Tell the operators.
    Alarm(Alarm),
    /// Ask for the same parcel at this account, whose API needs less.
    Redirect(String),
}

/// A call to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its id, which a repetition of the same intent keeps.
    pub call_id: CallId,
    /// Why it is made.
    pub reason: CallReason,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestOutcome {
    /// It changed the subscription.
    Accepted,
    /// There is such a subscription, or there was.
    Already,
    /// It was heard before.
    Repeated,
    /// It cannot be used.
    Refused,
}

impl RequestOutcome {
    /// Stable label for metrics.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Already => "already",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
        }
    }
}

/// Something that people should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alarm {
    /// Somebody else has subscribed the number: its pushes may go to another address.
    Foreign,
    /// The callback address has a word that the vendor does not take.
    Sensitive,
    /// The vendor answered something that is in no table.
    UnheardAnswer,
}
