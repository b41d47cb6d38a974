//! What holds over every history of inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use courierflow_domain::subscription::months::ChinaMonth;
use courierflow_domain::subscription::{AccountTerms, Effect, Input, Outcome, PushWord};
use courierflow_schemas::records::{
    CallId, Reason, Status, Subscription, SubscriptionState, TimestampMicros, TimestampMillis,
};
use courierflow_vendors::snapshot::TrackingWord;
use proptest::prelude::*;

use crate::parcel::*;

/// Something that happens.
#[derive(Clone, Copy, Debug)]
enum Event {
    Passes(i64),
    Due,
    Request {
        force: bool,
        id: u8,
        delay: Option<i64>,
    },
    Cancel {
        id: u8,
    },
    Answer(Outcome),
    /// The answer is lost; the call may have arrived.
    Lost {
        arrived: bool,
    },
    /// The process is killed and comes back.
    Killed {
        arrived: bool,
    },
    Push(TrackingWord, bool),
    Corrected(bool),
    Parcel(Option<Status>),
    Queried(bool),
    Probe,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        6 => Just(Outcome::Done),
        3 => Just(Outcome::Duplicate),
        3 => Just(Outcome::Retry),
        1 => Just(Outcome::Unheard),
        1 => Just(Outcome::Throttled(None)),
        1 => Just(Outcome::Throttled(Some(Duration::from_secs(3)))),
        2 => Just(Outcome::Unsent),
        1 => Just(Outcome::Account),
        1 => prop::sample::select(vec![
            Reason::UnknownCarrier, Reason::BadData, Reason::BadPlace, Reason::NotRecognised, Reason::Sensitive,
        ]).prop_map(Outcome::Rejected),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let words = vec![
        TrackingWord::Active,
        TrackingWord::Ended,
        TrackingWord::AbortedNoRecord,
        TrackingWord::AbortedNoRecord,
        TrackingWord::AbortedStale,
        TrackingWord::Stopped,
        TrackingWord::Unchanged,
    ];
    let passes = prop_oneof![Just(0), 0..10 * SECOND, 0..HOUR, 0..2 * DAY, 0..20 * DAY];
    let delay = prop::option::of(0..3 * DAY);
    let ends = vec![
        None,
        Some(Status::Delivered),
        Some(Status::Returned),
        Some(Status::InTransit),
    ];
    prop_oneof![
        4 => passes.prop_map(Event::Passes),
        8 => Just(Event::Due),
        3 => (any::<bool>(), 0..12_u8, delay).prop_map(|(force, id, delay)| Event::Request { force, id, delay }),
        1 => (100..103_u8).prop_map(|id| Event::Cancel { id }),
        9 => outcome().prop_map(Event::Answer),
        2 => any::<bool>().prop_map(|arrived| Event::Lost { arrived }),
        1 => any::<bool>().prop_map(|arrived| Event::Killed { arrived }),
        5 => (prop::sample::select(words), any::<bool>()).prop_map(|(word, items)| Event::Push(word, items)),
        1 => any::<bool>().prop_map(Event::Corrected),
        1 => prop::sample::select(ends).prop_map(Event::Parcel),
        1 => any::<bool>().prop_map(Event::Queried),
        2 => Just(Event::Probe),
    ]
}

/// A call on its way, as the caller of the machine sees it.
#[derive(Clone, Copy, Debug)]
struct Flight {
    call_id: CallId,
    started_at: i64,
}

/// The world around one subscription: it keeps the caller's promises and checks the machine's.
struct World {
    parcel: Parcel,
    flight: Option<Flight>,
    /// Calls that arrived at the vendor, by month and carrier, each intent once.
    ledger: BTreeMap<(i32, String), BTreeSet<(usize, CallId)>>,
    /// Lives of the number: forced requests begin new ones.
    lives: usize,
    /// The last intent, while it is not known whether it arrived.
    doubt: Option<CallId>,
}

impl World {
    fn new(terms: AccountTerms) -> Self {
        let mut parcel = Parcel::new(terms);
        parcel.now = at("2026-11-20T00:00:00Z");
        Self {
            parcel,
            flight: None,
            ledger: BTreeMap::new(),
            lives: 0,
            doubt: None,
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Passes(micros) => self.passes(micros),
            Event::Due => {
                if let Some(due) = self.parcel.state.as_ref().and_then(|is| is.not_before) {
                    self.passes((due.0 * 1_000 - self.parcel.now).max(0));
                }
                self.give(Input::Due);
            }
            Event::Request { force, id, delay } => {
                let mut request = if force { forced("") } else { asked("") };
                request.request_id = format!("r{id}");
                let now = self.parcel.now;
                request.not_before = delay.map(|delay| TimestampMillis((now + delay) / 1_000));
                self.checked(force, |parcel| {
                    parcel.request(&request);
                });
            }
            Event::Cancel { id } => self.checked(false, |parcel| {
                parcel.request(&cancel(&format!("r{id}")));
            }),
            Event::Answer(outcome) => self.answered(outcome),
            Event::Lost { arrived } => {
                if arrived {
                    self.arrived();
                }
                self.answered(Outcome::Unanswered);
            }
            Event::Killed { arrived } => {
                if arrived {
                    self.arrived();
                }
                self.doubt = self.flight.take().map(|flight| flight.call_id).or(self.doubt);
                if self.parcel.state.is_some() {
                    self.give(Input::Restored);
                }
            }
            Event::Push(word_, has_items) => self.pushed(&word(word_, has_items)),
            Event::Corrected(back) => {
                let to = if back {
                    carrier("yto", "yuantong")
                } else {
                    carrier("ems", "ems")
                };
                let mut push = word(TrackingWord::Corrected, false);
                push.corrected_to = Some(to);
                self.pushed(&push);
            }
            Event::Parcel(None) => self.give(Input::Parcel(None)),
            Event::Parcel(Some(status)) => self.checked(false, |parcel| {
                parcel.parcel_ends(status);
            }),
            Event::Queried(brings_news) => self.give(Input::Queried { brings_news }),
            Event::Probe => {
                let delays = self.parcel.terms.delays.clone();
                if self
                    .parcel
                    .standing
                    .takes_probe(TimestampMicros(self.parcel.now), &delays)
                {
                    self.give(Input::Probe);
                }
            }
        }
    }

    /// A call that is not answered in time is given up.
    fn passes(&mut self, micros: i64) {
        let until = self.parcel.now + micros;
        if let Some(flight) = self.flight {
            let gives_up = flight.started_at + 10 * SECOND;
            if gives_up <= until {
                self.parcel.now = gives_up.max(self.parcel.now);
                self.answered(Outcome::Unanswered);
            }
        }
        self.parcel.now = until.max(self.parcel.now);
    }

    fn pushed(&mut self, push: &PushWord) {
        self.checked(false, |parcel| {
            parcel.push(push);
        });
    }

    fn give(&mut self, input: Input<'_>) {
        self.checked(false, |parcel| {
            parcel.give(input);
        });
    }

    fn arrived(&mut self) {
        let Some(flight) = self.flight else { return };
        let month = ChinaMonth::of(TimestampMicros(flight.started_at)).number();
        let carrier = self.parcel.is().vendor_carrier.clone();
        let intents = self.ledger.entry((month, carrier)).or_default();
        intents.insert((self.lives, flight.call_id));
        if let Some(max) = self.parcel.terms.max_subscriptions_per_month {
            assert!(intents.len() <= usize::from(max), "{:?}", self.ledger);
        }
    }

    fn answered(&mut self, outcome: Outcome) {
        if self.flight.is_none() {
            return;
        }
        if outcome == Outcome::Done {
            self.arrived();
        }
        let flight = self.flight.take();
        let is_current = self.parcel.is().call_id == flight.map(|flight| flight.call_id);
        if is_current && outcome == Outcome::Unanswered {
            self.doubt = flight.map(|flight| flight.call_id);
        }
        self.checked(false, |parcel| {
            parcel.answer(outcome);
        });
        if !self.parcel.is().in_doubt {
            self.doubt = None;
        }
    }

    /// Does one step and checks everything.
    fn checked(&mut self, may_revive: bool, input: impl FnOnce(&mut Parcel)) {
        let before = self.parcel.state.clone();
        input(&mut self.parcel);
        let Some(is) = self.parcel.state.clone() else {
            assert!(before.is_none());
            return;
        };
        self.check_emission(before.as_ref(), &is);
        assert_eq!(is.call_id.is_some(), is.state == SubscriptionState::Calling, "call_id");
        assert!(
            is.state.is_terminal()
                || is.not_before.is_some()
                || is.call_id.is_some()
                || is.state == SubscriptionState::Active,
            "stuck: {is:?}"
        );
        if before.as_ref().is_some_and(|before| before.state.is_terminal()) {
            assert!(may_revive || Some(&is) == before.as_ref(), "an end was left");
            self.lives += usize::from(!is.state.is_terminal());
            if !is.state.is_terminal() {
                self.doubt = None;
            }
        }
        if is.state.is_terminal() || !is.in_doubt && is.state != SubscriptionState::Calling {
            self.doubt = None;
        }
        let calls: Vec<_> = self
            .parcel
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Call(_)))
            .collect();
        assert!(calls.len() <= 1);
        if let Some(Effect::Call(call)) = calls.first() {
            assert_eq!(Some(call.call_id), is.call_id);
            let now = self.parcel.now;
            let in_flight = self.flight.is_some_and(|flight| flight.started_at + 10 * SECOND > now);
            assert!(!in_flight, "two calls at once");
            assert!(
                self.doubt.is_none_or(|doubt| doubt == call.call_id),
                "the intent lost its id"
            );
            self.flight = Some(Flight {
                call_id: call.call_id,
                started_at: now,
            });
        }
    }

    fn check_emission(&self, before: Option<&Subscription>, is: &Subscription) {
        let is_emitted = self.parcel.has(&Effect::Emit);
        let emitted = self
            .parcel
            .effects
            .iter()
            .filter(|effect| **effect == Effect::Emit)
            .count();
        assert!(emitted <= 1);
        let Some(before) = before else {
            assert!(is_emitted);
            return;
        };
        let same_version = Subscription {
            version: before.version,
            ..is.clone()
        };
        assert_eq!(
            is_emitted,
            same_version != *before,
            "emitted if and only if something changed"
        );
        if is_emitted {
            assert!(is.version > before.version);
        } else {
            assert_eq!(is.version, before.version);
        }
        let ends = is.state.is_terminal() && !before.state.is_terminal();
        if ends {
            assert!(self.parcel.has(&Effect::DropSecret));
        }
    }

    /// From now on the vendor takes everything and the account works.
    fn heal(&mut self) {
        for _ in 0..100 {
            let Some(is) = self.parcel.state.clone() else { return };
            match is.state {
                SubscriptionState::Active => return,
                SubscriptionState::Calling => {
                    if self.flight.is_none() {
                        self.happens(Event::Killed { arrived: false });
                    }
                    self.happens(Event::Answer(Outcome::Done));
                }
                SubscriptionState::Waiting if !self.parcel.standing.is_running() => {
                    self.happens(Event::Due);
                    self.happens(Event::Passes(10 * MINUTE));
                    self.happens(Event::Probe);
                }
                SubscriptionState::Requested | SubscriptionState::Waiting | SubscriptionState::Quota => {
                    self.happens(Event::Due);
                }
                state => panic!("{state} is not to be left by itself"),
            }
            if self.parcel.phase() == SubscriptionState::Ended {
                // A further round of a parcel that is at its end.
                assert!(is.round > 1);
                return;
            }
        }
        panic!("still not followed: {:?}", self.parcel.state);
    }
}

fn terms() -> impl Strategy<Value = AccountTerms> {
    let detects = any::<bool>();
    let kind = any::<bool>();
    (kind, detects).prop_map(|(quota, detects_on_reject)| AccountTerms {
        detects_on_reject,
        ..if quota { with_quota() } else { without_quota() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_machine_keeps_its_promises(terms in terms(), events in prop::collection::vec(event(), 1..120)) {
        let mut world = World::new(terms);
        for event in events {
            world.happens(event);
        }
    }

    #[test]
    fn a_healthy_vendor_leads_to_active(terms in terms(), events in prop::collection::vec(event(), 0..40)) {
        let mut world = World::new(terms);
        world.happens(Event::Request { force: false, id: 0, delay: None });
        for event in events {
            world.happens(event);
        }
        let state = world.parcel.phase();
        if !state.is_terminal() && state != SubscriptionState::Fallback {
            world.heal();
        }
    }

    #[test]
    fn a_number_that_nothing_happens_to_needs_one_call(seed in 0..10_000_u32) {
        let mut parcel = Parcel::new(with_quota());
        parcel.now += i64::from(seed) * HOUR;
        parcel.request(&asked("r1")).answer(Outcome::Done);
        prop_assert_eq!((parcel.phase(), parcel.is().attempt), (SubscriptionState::Active, 1));
    }
}
