//! Time: what each state does when its `not_before` has come, and the try of a stopped account.

use courierflow_schemas::records::{CallReason, Reason, SubscriptionState};

use super::input::{Alarm, Effect};
use super::machine::Draft;
use super::time;

impl Draft<'_> {
    pub(super) fn due(&mut self) {
        let is_due = self.next.not_before.is_none_or(|due| due <= time::millis(self.now));
        if !is_due {
            return;
        }
        match self.next.state {
            // Nobody needs a further round of a parcel that has come to its end meanwhile.
            SubscriptionState::Waiting | SubscriptionState::Quota if self.next.round > 1 && self.is_parcel_at_end() => {
                self.ended_with_the_parcel();
            }
            SubscriptionState::Requested | SubscriptionState::Waiting | SubscriptionState::Quota => {
                self.call_when_possible();
            }
            SubscriptionState::Active if self.next.not_before.is_some() => self.active_is_due(),
            SubscriptionState::Fallback if self.is_parcel_at_end() => self.ended_with_the_parcel(),
            SubscriptionState::Fallback => self.end(SubscriptionState::Expired, self.next.reason),
            _ => {}
        }
    }

    fn active_is_due(&mut self) {
        if self.is_parcel_at_end() {
            self.ended_with_the_parcel();
        } else if !self.may_be_foreign() {
            // An older program has set the clock.
            self.next.not_before = None;
        } else {
            self.fall_back(Reason::Foreign);
            self.effects.push(Effect::Alarm(Alarm::Foreign));
        }
    }

    fn ended_with_the_parcel(&mut self) {
        self.next.ended_at = Some(self.now);
        self.end(SubscriptionState::Ended, None);
    }

    /// One of those that wait for a stopped account tries it.
    pub(super) fn probe(&mut self) {
        if self.waits_for_account() {
            self.call_within_quota(CallReason::Probe);
        }
    }
}
