//! One subscription of one account, with a clock of its own.

use std::time::Duration;

use courierflow_domain::subscription::{
    AccountChange, AccountTerms, AfterStale, Alarm, Answer, Call, CarrierCodes, Delays, DuplicateMeans, Effect, Input,
    Outcome, ParcelEnd, PushWord, Request, RequestOutcome, Resubscription, Standing, Step, step,
};
use courierflow_schemas::records::{
    CallId, CallReason, Product, Reason, RequestAction, Status, Subscription, SubscriptionRequest, SubscriptionState,
    TimestampMicros, TimestampMillis, Vendor,
};
use courierflow_vendors::snapshot::TrackingWord;

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) const NUMBER: &str = "YT0000000000001";

pub(crate) fn at(utc: &str) -> i64 {
    utc.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// Ordinary terms of a vendor with a quota, a word for every end, and pauses.
pub(crate) fn with_quota() -> AccountTerms {
    let again = Resubscription {
        pause: Duration::from_mins(30),
        jitter: Duration::from_mins(5),
        rounds: 2,
    };
    AccountTerms {
        vendor: Vendor::Kuaidi100,
        account: "demo".to_owned(),
        api: "enterprise".to_owned(),
        product: Product::Advanced,
        delay: Duration::ZERO,
        max_subscriptions_per_month: Some(4),
        duplicate: DuplicateMeans::Several,
        no_record: again,
        stale: AfterStale::AskFirst(again),
        end_after: Duration::from_hours(7 * 24),
        detects_on_reject: false,
        fallback_account: None,
        delays: Delays::default(),
    }
}

/// Ordinary terms of a vendor that takes any number of subscriptions and never says that it is done.
pub(crate) fn without_quota() -> AccountTerms {
    let again = Resubscription {
        pause: Duration::ZERO,
        jitter: Duration::ZERO,
        rounds: 5,
    };
    AccountTerms {
        vendor: Vendor::Kdniao,
        api: "follow".to_owned(),
        max_subscriptions_per_month: None,
        duplicate: DuplicateMeans::Followed,
        no_record: again,
        stale: AfterStale::Resubscribe(again),
        end_after: Duration::from_hours(24),
        ..with_quota()
    }
}

pub(crate) fn asked(request_id: &str) -> SubscriptionRequest {
    SubscriptionRequest {
        request_id: request_id.to_owned(),
        requester: "oms".to_owned(),
        action: RequestAction::Subscribe,
        requested_at: TimestampMicros(0),
        vendor: None,
        account: None,
        carrier: Some("yto".to_owned()),
        tracking_number: NUMBER.to_owned(),
        phone: None,
        from: None,
        to: None,
        product: None,
        international: None,
        reference: None,
        not_before: None,
        force: false,
    }
}

pub(crate) fn forced(request_id: &str) -> SubscriptionRequest {
    SubscriptionRequest {
        force: true,
        ..asked(request_id)
    }
}

pub(crate) fn cancel(request_id: &str) -> SubscriptionRequest {
    SubscriptionRequest {
        action: RequestAction::Cancel,
        ..asked(request_id)
    }
}

pub(crate) fn carrier(canonical: &str, vendors: &str) -> CarrierCodes {
    CarrierCodes {
        canonical: canonical.to_owned(),
        vendors: vendors.to_owned(),
    }
}

pub(crate) fn word(word: TrackingWord, has_items: bool) -> PushWord {
    PushWord {
        word,
        has_items,
        end: None,
        carrier: None,
        corrected_to: None,
    }
}

/// A push about a parcel that is followed.
pub(crate) fn lines() -> PushWord {
    word(TrackingWord::Active, true)
}

/// A push of a vendor that has no word for its end, about a parcel that is delivered.
pub(crate) fn delivered() -> PushWord {
    PushWord {
        end: Some(Status::Delivered),
        ..lines()
    }
}

pub(crate) struct Parcel {
    pub(crate) now: i64,
    pub(crate) terms: AccountTerms,
    pub(crate) standing: Standing,
    pub(crate) state: Option<Subscription>,
    pub(crate) effects: Vec<Effect>,
    /// What the last answer changed for the account.
    pub(crate) change: Option<AccountChange>,
    pub(crate) carrier: CarrierCodes,
    /// The last call.
    pub(crate) call: Option<Call>,
    pub(crate) call_started_at: i64,
}

impl Parcel {
    pub(crate) fn new(terms: AccountTerms) -> Self {
        Self {
            now: at("2026-11-10T00:00:00Z"),
            terms,
            standing: Standing::that_may_blame_callback(),
            state: None,
            effects: Vec::new(),
            change: None,
            carrier: carrier("yto", "yuantong"),
            call: None,
            call_started_at: 0,
        }
    }

    /// Asked for, and called.
    pub(crate) fn calling(terms: AccountTerms) -> Self {
        let mut parcel = Self::new(terms);
        parcel.request(&asked("r1"));
        assert_eq!(parcel.phase(), SubscriptionState::Calling);
        parcel
    }

    pub(crate) fn active(terms: AccountTerms) -> Self {
        let mut parcel = Self::calling(terms);
        parcel.answer(Outcome::Done);
        assert_eq!(parcel.phase(), SubscriptionState::Active);
        parcel
    }

    pub(crate) fn give(&mut self, input: Input<'_>) -> &mut Self {
        let now = TimestampMicros(self.now);
        let Step { state, effects } = step(self.state.take(), input, now, &self.terms, &self.standing);
        self.state = state;
        for effect in &effects {
            if let Effect::Call(call) = effect {
                self.call = Some(*call);
                self.call_started_at = self.now;
            }
        }
        self.effects = effects;
        self
    }

    pub(crate) fn request(&mut self, asked: &SubscriptionRequest) -> &mut Self {
        let carrier = self.carrier.clone();
        self.give(Input::Request(Request {
            asked,
            carrier: &carrier,
        }))
    }

    /// The answer to the last call, told to the account first.
    pub(crate) fn answer(&mut self, outcome: Outcome) -> &mut Self {
        let answer = Answer {
            call_id: self.call.map_or_else(CallId::default, |call| call.call_id),
            started_at: TimestampMicros(self.call_started_at),
            outcome,
            code: Some(format!("{outcome:?}")),
        };
        let now = TimestampMicros(self.now);
        self.change = self.standing.heard(NUMBER, &answer, now, &self.terms.delays);
        self.give(Input::Answer(&answer))
    }

    pub(crate) fn push(&mut self, push: &PushWord) -> &mut Self {
        self.give(Input::Push(push))
    }

    pub(crate) fn parcel_ends(&mut self, status: Status) -> &mut Self {
        let since = TimestampMicros(self.now);
        self.give(Input::Parcel(Some(ParcelEnd { status, since })))
    }

    pub(crate) fn after(&mut self, micros: i64) -> &mut Self {
        self.now += micros;
        self
    }

    /// The clock goes to `not_before`, and the timer rings.
    pub(crate) fn when_due(&mut self) -> &mut Self {
        let due = self.is().not_before.expect("a timer").0 * 1_000;
        self.now = self.now.max(due);
        self.give(Input::Due)
    }

    pub(crate) fn is(&self) -> &Subscription {
        self.state.as_ref().expect("a subscription")
    }

    pub(crate) fn phase(&self) -> SubscriptionState {
        self.is().state
    }

    pub(crate) fn says(&self) -> (SubscriptionState, Option<Reason>) {
        (self.is().state, self.is().reason)
    }

    /// Time until `not_before`.
    pub(crate) fn pause(&self) -> i64 {
        let due: TimestampMillis = self.is().not_before.expect("a timer");
        due.0 * 1_000 - self.now
    }

    pub(crate) fn called(&self) -> Option<CallReason> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Call(call) => Some(call.reason),
            _ => None,
        })
    }

    pub(crate) fn counted(&self) -> Option<RequestOutcome> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Count(outcome) => Some(*outcome),
            _ => None,
        })
    }

    pub(crate) fn alarm(&self) -> Option<Alarm> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Alarm(alarm) => Some(*alarm),
            _ => None,
        })
    }

    pub(crate) fn has(&self, effect: &Effect) -> bool {
        self.effects.contains(effect)
    }

    pub(crate) fn accepted(&self) -> u16 {
        self.is().calls.iter().map(|calls| calls.accepted).sum()
    }
}
