//! From an input to what changes. Every state is entered here, and every call starts here.

use std::time::Duration;

use courierflow_schemas::records::{
    CallKind, CallReason, Reason, Status, Subscription, SubscriptionState, TimestampMicros, TimestampMillis,
};
use courierflow_vendors::api::ids::Intent;

use super::input::{Alarm, Call, Effect, Input, RequestOutcome, Step};
use super::months::ChinaMonth;
use super::quota;
use super::request;
use super::standing::Standing;
use super::terms::{AccountTerms, DuplicateMeans};
use super::time;

/// What one input does to a subscription. `state` is what is known of it so far.
pub fn step(
    state: Option<Subscription>,
    input: Input<'_>,
    now: TimestampMicros,
    terms: &AccountTerms,
    standing: &Standing,
) -> Step {
    let Some(before) = state else {
        return match input {
            Input::Request(request) => request::first(request, now, terms, standing),
            _ => Step::nothing(),
        };
    };
    let mut draft = Draft::of(before.clone(), now, terms, standing);
    match input {
        Input::Request(request) => draft.requested(request),
        // What a newer program has written is left alone.
        _ if draft.next.state.is_terminal() || draft.next.state == SubscriptionState::Other => {}
        Input::Push(push) => draft.pushed(push),
        Input::PushBeforeCall(push) => {
            draft.is_call_made = false;
            draft.pushed(push);
        }
        Input::Queried { brings_news } => draft.queried(brings_news),
        Input::Parcel(end) => draft.parcel(end),
        Input::Answer(answer) => draft.answered(answer),
        Input::Due => draft.due(),
        Input::Probe => draft.probe(),
        Input::Restored => draft.restored(),
    }
    draft.finish(Some(&before))
}

/// True if a subscription came to its end so long ago that its record is to be replaced by a tombstone.
pub fn is_forgotten(subscription: &Subscription, now: TimestampMicros, terms: &AccountTerms) -> bool {
    subscription.state.is_terminal() && time::later(subscription.since, terms.delays.forget) <= now
}

impl Step {
    pub(super) fn nothing() -> Self {
        Self {
            state: None,
            effects: Vec::new(),
        }
    }

    pub(super) fn only(state: Option<Subscription>, outcome: RequestOutcome) -> Self {
        Self {
            state,
            effects: vec![Effect::Count(outcome)],
        }
    }
}

/// A subscription in the middle of a step.
pub(super) struct Draft<'a> {
    pub(super) next: Subscription,
    pub(super) effects: Vec<Effect>,
    pub(super) now: TimestampMicros,
    pub(super) terms: &'a AccountTerms,
    pub(super) standing: &'a Standing,
    /// Whether the call of CALLING may have been made.
    is_call_made: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn of(
        next: Subscription,
        now: TimestampMicros,
        terms: &'a AccountTerms,
        standing: &'a Standing,
    ) -> Self {
        Self {
            next,
            effects: Vec::new(),
            now,
            terms,
            standing,
            is_call_made: true,
        }
    }

    /// Gives a changed state its version. Nothing is emitted if nothing changed.
    pub(super) fn finish(mut self, before: Option<&Subscription>) -> Step {
        if before != Some(&self.next) {
            self.next.version = version_after(before, self.now);
            self.effects.insert(0, Effect::Emit);
        }
        Step {
            state: Some(self.next),
            effects: self.effects,
        }
    }

    // ---- states -----------------------------------------------------------------------------------------------------

    /// Enters a state. A reason and a timer belong to one state only, and a call id to CALLING.
    fn enter(&mut self, state: SubscriptionState, reason: Option<Reason>, not_before: Option<TimestampMillis>) {
        if self.next.state != state {
            self.next.state = state;
            self.next.since = self.now;
        }
        self.next.reason = reason;
        self.next.not_before = not_before;
        self.next.call_id = None;
    }

    pub(super) fn wait(&mut self, reason: Option<Reason>, until: TimestampMillis) {
        self.enter(SubscriptionState::Waiting, reason, Some(until));
    }

    /// The vendor follows the parcel.
    pub(super) fn activate(&mut self, reason: Option<Reason>, duplicate: bool) {
        self.enter(SubscriptionState::Active, reason, None);
        self.next.duplicate = duplicate;
        self.next.in_doubt = false;
        self.forget_troubles();
        if !self.is_parcel_at_end() {
            self.next.ended_word = None;
        }
        self.next.not_before = self.active_until();
    }

    /// When a followed subscription is to be looked at.
    pub(super) fn active_until(&self) -> Option<TimestampMillis> {
        let delays = &self.terms.delays;
        if self.is_parcel_at_end() {
            return Some(time::after(self.now, self.terms.end_after));
        }
        self.may_be_foreign()
            .then(|| time::after(self.next.since, delays.first_push_late))
    }

    /// Whether it may be somebody else who has subscribed the number: the vendor said that it was subscribed, none of our calls was
    /// ever counted, and no push has come. Where the word is always success there is nothing to prove.
    pub(super) fn may_be_foreign(&self) -> bool {
        let is_ours = self.next.calls.iter().any(|of_month| of_month.accepted > 0);
        let awaits_proof = self.next.duplicate && self.next.first_push_at.is_none();
        awaits_proof && !is_ours && self.terms.duplicate != DuplicateMeans::Followed
    }

    /// The vendor does not follow the parcel, so it is asked daily.
    pub(super) fn fall_back(&mut self, reason: Reason) {
        self.settle_doubt();
        let delays = &self.terms.delays;
        let until = if self.is_parcel_at_end() {
            time::after(self.now, delays.fallback_end.min(delays.fallback))
        } else {
            time::after(self.now, delays.fallback)
        };
        self.enter(SubscriptionState::Fallback, Some(reason), Some(until));
        self.forget_troubles();
    }

    /// No further subscription before the next month.
    pub(super) fn await_quota(&mut self) {
        let until = quota::wakes_at(&self.next.tracking_number, self.now, &self.terms.delays);
        self.enter(SubscriptionState::Quota, Some(Reason::Quota), Some(until));
    }

    /// Comes to an end, which only a new request leaves.
    pub(super) fn end(&mut self, state: SubscriptionState, reason: Option<Reason>) {
        self.settle_doubt();
        self.enter(state, reason, None);
        self.effects.push(Effect::DropSecret);
    }

    /// Rejects it, and tells people if it concerns them.
    pub(super) fn reject(&mut self, reason: Reason) {
        self.end(SubscriptionState::Rejected, Some(reason));
        if reason == Reason::Sensitive {
            self.effects.push(Effect::Alarm(Alarm::Sensitive));
        }
    }

    // ---- calls ------------------------------------------------------------------------------------------------------

    /// A call is due: starts it, or says what it waits for.
    pub(super) fn call_when_possible(&mut self) {
        if self.standing.is_running() {
            let reason = self.reason_of_call();
            self.call_within_quota(reason);
        } else if !self.waits_for_account() {
            // Once the account goes on it is due; until then nothing is emitted again.
            self.wait(Some(Reason::AccountStopped), time::millis(self.now));
        }
    }

    /// Whether it waits for a stopped account.
    pub(super) fn waits_for_account(&self) -> bool {
        (self.next.state, self.next.reason) == (SubscriptionState::Waiting, Some(Reason::AccountStopped))
    }

    /// Starts a call if the month has one left and none may still be in flight.
    pub(super) fn call_within_quota(&mut self, reason: CallReason) {
        let month = ChinaMonth::of(self.now);
        if !self.next.in_doubt && quota::is_used_up(&self.next, month, self.terms) {
            self.await_quota();
        } else if let Some(until) = self.quiet_until() {
            self.wait(self.next.reason, until);
        } else {
            self.call(reason);
        }
    }

    /// Starts a call. A repetition of an intent that may have arrived already keeps its id, so that the vendor's "subscribed already" can be
    /// told from somebody else's subscription.
    pub(super) fn call(&mut self, reason: CallReason) {
        if !self.next.in_doubt {
            self.next.attempt = self.next.attempt.saturating_add(1);
        }
        let doubt = self.next.in_doubt.then_some(Reason::InDoubt);
        self.enter(SubscriptionState::Calling, doubt, None);
        let call_id = Intent {
            kind: CallKind::Subscribe,
            vendor: self.terms.vendor,
            account: &self.next.account,
            tracking_number: &self.next.tracking_number,
            round: self.next.round,
            attempt: self.next.attempt,
        }
        .call_id();
        self.next.call_id = Some(call_id);
        self.effects.push(Effect::Call(Call { call_id, reason }));
    }

    fn reason_of_call(&self) -> CallReason {
        if self.next.in_doubt {
            CallReason::InDoubt
        } else if self.next.attempt > 0 || self.next.failed > 0 || self.next.unsent > 0 {
            CallReason::Retry
        } else if self.next.round > 1 {
            CallReason::Resubscribe
        } else {
            CallReason::New
        }
    }

    /// Until when an earlier call may still be in flight: a push can tell its success before its answer comes.
    fn quiet_until(&self) -> Option<TimestampMillis> {
        let last = time::micros(quota::last_accepted_at(&self.next)?);
        // It is kept in whole milliseconds, rounded down.
        let rounded = Duration::from_millis(1);
        let until = time::after(last, self.terms.delays.call_timeout.saturating_add(rounded));
        (until > time::millis(self.now)).then_some(until)
    }

    /// Counts a call that the vendor accepted, and ends all doubt about it.
    pub(super) fn accepted(&mut self, started_at: TimestampMicros) {
        let vendor_carrier = self.next.vendor_carrier.clone();
        quota::count(&mut self.next, &vendor_carrier, started_at);
        self.next.in_doubt = false;
    }

    /// A push shows that the vendor follows the parcel, whatever is answered to the call that was to bring it about. If that was made, it
    /// is counted: its answer is not waited for any more. One that stood in line is not made after all, and counts for nothing.
    pub(super) fn overtaken(&mut self) {
        if self.is_call_made || self.next.in_doubt {
            self.accepted(self.now);
        } else {
            self.not_an_attempt();
        }
    }

    /// A call of which nobody will know whether it arrived is counted: a subscription too few a month does less harm than one too many.
    fn settle_doubt(&mut self) {
        if self.next.in_doubt || self.next.call_id.is_some() {
            self.accepted(self.now);
        }
    }

    /// The last call was none by the vendor's count.
    pub(super) fn not_an_attempt(&mut self) {
        if !self.next.in_doubt {
            self.next.attempt = self.next.attempt.saturating_sub(1);
        }
    }

    // ---- facts ------------------------------------------------------------------------------------------------------

    /// Whether the parcel has come to its end. Then `ended_word` is its status, until the subscription ends with it.
    pub(super) fn is_parcel_at_end(&self) -> bool {
        let word = self.next.ended_word.as_deref();
        let mut ends = Status::ALL.iter().filter(|status| status.is_terminal());
        word.is_some_and(|word| ends.any(|status| status.as_str() == word))
    }

    /// A new round or a success leaves the troubles of the calls before behind.
    pub(super) fn forget_troubles(&mut self) {
        self.next.failed = 0;
        self.next.too_early = 0;
        self.next.unexplained = 0;
        self.next.not_recognised = 0;
        self.next.unsent = 0;
    }
}

/// Versions grow although clocks may go back.
pub(super) fn version_after(before: Option<&Subscription>, now: TimestampMicros) -> i64 {
    before.map_or(now.0, |before| now.0.max(before.version.saturating_add(1)))
}
