//! The vendor says that the number is subscribed already. That is success, a used up quota, or somebody else's subscription; what
//! is known of the number tells which.

use std::time::Duration;

use courierflow_schemas::records::Reason;

use super::input::Answer;
use super::machine::Draft;
use super::months::ChinaMonth;
use super::quota;
use super::terms::DuplicateMeans;
use super::time;

/// So often a call may come too soon after the end of the last subscription, though it was made late enough by our clock.
const TOO_EARLY_TWICE: u16 = 2;

/// What the word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The call before this one had arrived.
    Arrived,
    /// Pushes come: it is followed.
    Followed,
    /// It was registered before, and may have been stopped.
    Registered,
    /// It was, and is not stopped. Pushes go to the one address of the account, so they come.
    Tracked,
    /// As often as the vendor takes in a month.
    QuotaUsedUp,
    /// The month is new by our clock, and the vendor's may still show the old one.
    MonthTurns,
    /// The last subscription ended too recently.
    TooEarly,
    /// Somebody else used the quota, or the vendor still follows it.
    Unexplained,
    /// Somebody else has subscribed it, perhaps for another address.
    Foreign,
}

impl Draft<'_> {
    pub(super) fn duplicate(&mut self, answer: &Answer) {
        match self.meaning_of_duplicate(answer) {
            Meaning::Arrived => {
                self.accepted(answer.started_at);
                self.activate(None, true);
            }
            Meaning::Followed | Meaning::Foreign => self.activate(None, true),
            Meaning::Registered => {
                self.next.round = 2;
                self.next.attempt = 0;
                self.call_when_possible();
            }
            Meaning::Tracked => self.activate(None, false),
            Meaning::QuotaUsedUp => self.await_quota(),
            Meaning::MonthTurns => self.again(Reason::Quota, self.terms.delays.month_turn),
            Meaning::TooEarly => {
                self.next.too_early = self.next.too_early.saturating_add(1);
                if self.next.too_early > TOO_EARLY_TWICE {
                    self.fall_back(Reason::TooEarly);
                } else {
                    self.again(Reason::TooEarly, self.terms.delays.after_end);
                }
            }
            Meaning::Unexplained => {
                self.next.unexplained = self.next.unexplained.saturating_add(1);
                match self.next.unexplained {
                    0 | 1 => self.again(Reason::Quota, self.terms.delays.unexplained),
                    2 => self.await_quota(),
                    // Neither time nor another month helped.
                    _ => self.fall_back(Reason::Quota),
                }
            }
        }
    }

    /// The first line that applies.
    fn meaning_of_duplicate(&self, answer: &Answer) -> Meaning {
        let delays = &self.terms.delays;
        let month = ChinaMonth::of(answer.started_at);
        let month_is_young = ChinaMonth::elapsed(answer.started_at) < delays.month_turn;
        let ended_at = self.next.ended_at;
        if self.next.in_doubt {
            Meaning::Arrived
        } else if self.next.first_push_at.is_some() || self.terms.duplicate == DuplicateMeans::Followed {
            Meaning::Followed
        } else if self.terms.duplicate == DuplicateMeans::Registered {
            // The call of a further round is refused as long as the vendor has not stopped.
            if self.next.round > 1 {
                Meaning::Tracked
            } else {
                Meaning::Registered
            }
        } else if quota::is_used_up(&self.next, month, self.terms) {
            Meaning::QuotaUsedUp
        } else if month_is_young && quota::is_used_up(&self.next, month.previous(), self.terms) {
            Meaning::MonthTurns
        } else if ended_at.is_some_and(|ended| time::later(ended, delays.after_end) > answer.started_at) {
            Meaning::TooEarly
        } else if ended_at.is_some() {
            Meaning::Unexplained
        } else {
            Meaning::Foreign
        }
    }

    fn again(&mut self, reason: Reason, delay: Duration) {
        self.wait(Some(reason), time::after(self.now, delay));
    }
}
