//! The vendor's answer to a call, class by class.

use std::time::Duration;

use courierflow_schemas::carriers::UNKNOWN_CARRIER;
use courierflow_schemas::records::{CallReason, Reason, SubscriptionState};

use super::input::{Alarm, Answer, Effect, Outcome};
use super::machine::Draft;
use super::time;

impl Draft<'_> {
    /// An answer counts only while its call is the current one: a push may have told the success before, or somebody cancelled.
    pub(super) fn answered(&mut self, answer: &Answer) {
        if self.next.call_id != Some(answer.call_id) {
            return;
        }
        // The call is over, whatever follows.
        self.next.call_id = None;
        if answer.code.is_some() {
            self.next.code.clone_from(&answer.code);
        }
        if answer.outcome != Outcome::Unsent {
            self.next.unsent = 0;
        }
        match answer.outcome {
            Outcome::Done => {
                self.accepted(answer.started_at);
                self.activate(None, false);
            }
            Outcome::Duplicate => self.duplicate(answer),
            Outcome::Retry => self.retry(),
            Outcome::Unheard => {
                self.effects.push(Effect::Alarm(Alarm::UnheardAnswer));
                self.retry();
            }
            Outcome::Throttled(pause) => {
                self.not_an_attempt();
                // Not less, or it would be asked again and again for nothing: `Retry-After: 0` counts no attempt.
                let shortest = self.terms.delays.throttled;
                let pause = pause.map_or(shortest, |pause| pause.max(shortest));
                self.wait(self.doubt(), time::after(self.now, pause));
            }
            Outcome::Unsent => self.unsent(),
            Outcome::Unanswered => self.unanswered(),
            Outcome::UnheardInDoubt => {
                self.effects.push(Effect::Alarm(Alarm::UnheardAnswer));
                self.unanswered();
            }
            Outcome::Account => self.account_stopped(),
            Outcome::Rejected(reason) => self.rejected(reason),
        }
    }

    fn doubt(&self) -> Option<Reason> {
        self.next.in_doubt.then_some(Reason::InDoubt)
    }

    /// The vendor failed: again after ever longer delays, but not for ever, because some vendors say the same to wrong parameters.
    pub(super) fn retry(&mut self) {
        let delay = self.terms.delays.retry.get(usize::from(self.next.failed)).copied();
        self.next.failed = self.next.failed.saturating_add(1);
        match delay {
            Some(delay) => {
                let reason = self.doubt().unwrap_or(Reason::VendorError);
                self.wait(Some(reason), time::after(self.now, delay));
            }
            None => self.reject(Reason::VendorError),
        }
    }

    /// The call may have arrived: the same intent again soon, later as if the vendor had failed.
    fn unanswered(&mut self) {
        if self.next.in_doubt {
            self.retry();
        } else {
            self.next.in_doubt = true;
            self.wait(Some(Reason::InDoubt), time::after(self.now, self.terms.delays.in_doubt));
        }
    }

    /// Nothing was sent, so nothing is counted and nothing is given up.
    fn unsent(&mut self) {
        self.not_an_attempt();
        let delays = &self.terms.delays;
        let doubled = 2_u32.saturating_pow(u32::from(self.next.unsent.min(31)));
        let delay: Duration = delays.unsent.saturating_mul(doubled).min(delays.unsent_longest);
        self.next.unsent = self.next.unsent.saturating_add(1);
        self.wait(Some(Reason::VendorError), time::after(self.now, delay));
    }

    /// The account is at fault, not the parcel: it waits until the account goes on.
    fn account_stopped(&mut self) {
        self.not_an_attempt();
        self.wait(Some(Reason::AccountStopped), time::millis(self.now));
    }

    fn rejected(&mut self, reason: Reason) {
        let may_detect = self.terms.detects_on_reject && !self.next.vendor_carrier.is_empty();
        match reason {
            // The callback address is refused for all parcels alike.
            Reason::Sensitive | Reason::BadData if !self.standing.is_running() => self.account_stopped(),
            Reason::UnknownCarrier if may_detect => {
                UNKNOWN_CARRIER.clone_into(&mut self.next.carrier);
                self.next.vendor_carrier.clear();
                self.call_when_possible();
            }
            // The same code may mean that no units are left.
            Reason::NotRecognised if self.next.not_recognised == 0 && !self.has_units() => {
                self.next.not_recognised = 1;
                let until = time::after(self.now, self.terms.delays.not_recognised);
                self.wait(Some(reason), until);
            }
            Reason::BadPlace => {
                self.refused(reason);
                let account = self.terms.fallback_account.clone();
                self.effects.extend(account.map(Effect::Redirect));
            }
            _ => self.refused(reason),
        }
    }

    /// The vendor has judged the request. Had it accepted the same one in a call without an answer, it would say so (501): that call counts
    /// for nothing.
    fn refused(&mut self, reason: Reason) {
        self.next.in_doubt = false;
        self.reject(reason);
    }

    fn has_units(&self) -> bool {
        self.standing.has_units(self.now, &self.terms.delays)
    }

    /// After a restart nobody knows whether the call of a restored intent was made: it is made again, with the same id.
    pub(super) fn restored(&mut self) {
        if self.next.state == SubscriptionState::Calling {
            self.next.in_doubt = true;
            self.call(CallReason::InDoubt);
        }
    }
}
