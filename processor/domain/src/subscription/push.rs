//! The vendor's pushes, the answers to queries, and what is derived of the parcel, as far as they concern the subscription.

use courierflow_schemas::records::{Reason, SubscriptionState};
use courierflow_vendors::snapshot::TrackingWord;

use super::input::{CarrierCodes, Effect, ParcelEnd, PushWord};
use super::jitter::jitter;
use super::machine::Draft;
use super::months::ChinaMonth;
use super::quota;
use super::terms::{AfterStale, Resubscription};
use super::time;

/// The words that end a subscription, as records show them.
const SHUTDOWN: &str = "shutdown";
const ABORT: &str = "abort";

impl Draft<'_> {
    pub(super) fn pushed(&mut self, push: &PushWord) {
        if let Some(carrier) = &push.corrected_to {
            self.corrected(carrier);
            return;
        }
        if let Some(carrier) = push.carrier.as_ref().filter(|_| push.has_items) {
            self.detected(carrier);
        }
        let is_alive = push.has_items && !is_abort(push.word);
        match self.next.state {
            SubscriptionState::Active => self.heard(push),
            // The answer was lost or is late; the push shows what it was. An abort may be that of the round before, told again.
            SubscriptionState::Calling if is_alive => self.healed(push),
            SubscriptionState::Waiting if is_alive && self.next.in_doubt => self.healed(push),
            SubscriptionState::Quota | SubscriptionState::Fallback if push.word == TrackingWord::Ended => {
                self.ended(SHUTDOWN);
            }
            // Somebody followed it after all.
            SubscriptionState::Fallback if is_alive => {
                self.note_push();
                self.activate(None, self.next.duplicate);
                self.may_have_ended_before(push);
            }
            _ if is_alive => self.note_push(),
            _ => {}
        }
    }

    fn healed(&mut self, push: &PushWord) {
        self.overtaken();
        self.activate(None, false);
        self.heard(push);
    }

    /// A push about a followed parcel.
    fn heard(&mut self, push: &PushWord) {
        if push.has_items || !is_abort(push.word) {
            if self.next.first_push_at.is_none() {
                self.may_have_ended_before(push);
            }
            self.note_push();
            self.next.not_before = if self.is_parcel_at_end() {
                self.next.not_before
            } else {
                self.active_until()
            };
        }
        match push.word {
            TrackingWord::Ended => self.ended(SHUTDOWN),
            TrackingWord::AbortedStale => self.given_up(Reason::Stale),
            // Without a reason: what came before tells.
            TrackingWord::Stopped if self.next.first_push_at.is_some() => self.given_up(Reason::Stale),
            TrackingWord::AbortedNoRecord | TrackingWord::Stopped => self.given_up(Reason::NoRecord),
            TrackingWord::Active | TrackingWord::Unchanged | TrackingWord::Corrected => {}
        }
    }

    /// If a parcel had ended before the vendor followed it, its pushes change no shipment, and only they tell of the end. Later pushes are
    /// not asked: what is new in them changes the shipment, which knows better.
    fn may_have_ended_before(&mut self, push: &PushWord) {
        let is_of_its_carrier = (push.carrier.as_ref()).is_none_or(|carrier| carrier.canonical == self.next.carrier);
        if let Some(status) = push.end.filter(|_| is_of_its_carrier && !self.is_parcel_at_end()) {
            let since = self.now;
            self.parcel(Some(ParcelEnd { status, since }));
        }
    }

    /// Only the first push of a round changes the record.
    fn note_push(&mut self) {
        self.next.first_push_at = self.next.first_push_at.or(Some(self.now));
    }

    fn ended(&mut self, word: &str) {
        self.next.ended_word = Some(word.to_owned());
        self.next.ended_at = Some(self.now);
        self.end(SubscriptionState::Ended, None);
    }

    /// The vendor gave up. A parcel that is at its end needs nobody to follow it.
    fn given_up(&mut self, reason: Reason) {
        if self.is_parcel_at_end() {
            self.ended(ABORT);
            return;
        }
        self.next.ended_word = Some(ABORT.to_owned());
        self.next.ended_at = Some(self.now);
        match (reason, self.terms.stale) {
            (Reason::Stale, AfterStale::AskFirst(_)) => self.fall_back(reason),
            (Reason::Stale, AfterStale::Resubscribe(again)) => self.subscribe_again(reason, again),
            _ => self.subscribe_again(reason, self.terms.no_record),
        }
    }

    /// A further round, unless there were enough.
    fn subscribe_again(&mut self, reason: Reason, again: Resubscription) {
        if self.next.round >= again.rounds {
            self.fall_back(reason);
            return;
        }
        self.next.round = self.next.round.saturating_add(1);
        self.next.attempt = 0;
        self.next.duplicate = false;
        self.next.first_push_at = None;
        self.forget_troubles();
        self.effects.push(Effect::Resubscribed(reason));
        if quota::is_used_up(&self.next, ChinaMonth::of(self.now), self.terms) {
            self.await_quota();
            return;
        }
        let spread = jitter(&self.next.tracking_number, "resubscribe", again.jitter);
        let ended_at = self.next.ended_at.unwrap_or(self.now);
        let until = time::after(ended_at, again.pause.saturating_add(spread));
        self.wait(Some(reason), until.max(time::millis(self.now)));
        if until <= time::millis(self.now) {
            self.call_when_possible();
        }
    }

    /// The vendor was asked to find the carrier, and has. What it accepted before counts for this carrier.
    fn detected(&mut self, carrier: &CarrierCodes) {
        if !self.next.vendor_carrier.is_empty() || carrier.vendors.is_empty() {
            return;
        }
        self.next.carrier.clone_from(&carrier.canonical);
        self.next.vendor_carrier.clone_from(&carrier.vendors);
        quota::rename(&mut self.next.calls, &carrier.vendors);
    }

    /// The vendor has subscribed the parcel under another carrier by itself: that counts, and needs no call. It is another subscription,
    /// which has to prove itself like the one before: what is counted from its beginning begins anew.
    fn corrected(&mut self, carrier: &CarrierCodes) {
        if self.next.vendor_carrier == carrier.vendors {
            return;
        }
        if self.next.state == SubscriptionState::Calling || self.next.in_doubt {
            self.overtaken();
        }
        let former = std::mem::replace(&mut self.next.vendor_carrier, carrier.vendors.clone());
        if !former.is_empty() {
            self.next.former_carriers.push(former);
        }
        self.next.carrier.clone_from(&carrier.canonical);
        self.accepted(self.now);
        self.next.first_push_at = None;
        self.activate(Some(Reason::Corrected), false);
        self.next.since = self.now;
    }

    /// The one answer that decides about a parcel of which nothing was heard for long, where the vendor is asked before a further round.
    pub(super) fn queried(&mut self, brings_news: bool) {
        let is_asked = (self.next.state, self.next.reason) == (SubscriptionState::Fallback, Some(Reason::Stale));
        match self.terms.stale {
            AfterStale::AskFirst(again) if is_asked && brings_news => self.subscribe_again(Reason::Stale, again),
            AfterStale::AskFirst(_) if is_asked => self.end(SubscriptionState::Expired, Some(Reason::Stale)),
            _ => {}
        }
    }

    /// The parcel has come to its end, or is under way again.
    pub(super) fn parcel(&mut self, end: Option<ParcelEnd>) {
        let Some(end) = end else {
            if self.is_parcel_at_end() {
                self.next.ended_word = None;
                match self.next.state {
                    SubscriptionState::Active => self.next.not_before = self.active_until(),
                    SubscriptionState::Fallback => {
                        self.next.not_before = Some(time::after(self.next.since, self.terms.delays.fallback));
                    }
                    _ => {}
                }
            }
            return;
        };
        let word = Some(end.status.as_str());
        if !end.status.is_terminal() || self.next.ended_word.as_deref() == word {
            return;
        }
        self.next.ended_word = word.map(str::to_owned);
        match self.next.state {
            SubscriptionState::Active => self.next.not_before = Some(time::after(end.since, self.terms.end_after)),
            SubscriptionState::Fallback => {
                let until = time::after(end.since, self.terms.delays.fallback_end);
                self.next.not_before = self
                    .next
                    .not_before
                    .map_or(Some(until), |before| Some(before.min(until)));
            }
            _ => {}
        }
    }
}

/// True if the vendor does not follow the parcel any more.
fn is_abort(word: TrackingWord) -> bool {
    matches!(
        word,
        TrackingWord::AbortedNoRecord | TrackingWord::AbortedStale | TrackingWord::Stopped
    )
}
