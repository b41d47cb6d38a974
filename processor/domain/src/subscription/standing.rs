//! The account as a whole: whether calls can be made at all. A wrong key or used up units concern every parcel, so one parcel at a time
//! tries whether the account works again, and nothing is rejected meanwhile.

use courierflow_schemas::records::{Reason, TimestampMicros};

use super::input::{Answer, Outcome};
use super::terms::Delays;
use super::time;

/// So many numbers in a row whose callback address is found sensitive: it is the address, which they share.
const SENSITIVE_IN_A_ROW: usize = 3;
/// So many numbers in a row with wrong data, of a vendor that says the same of a wrong callback address: it is that.
const BAD_DATA_IN_A_ROW: usize = 5;

/// What is known of an account from the answers to its calls. It is not stored: after a restart the first answers show it again.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Whether the calls name a callback address that the vendor refuses with the words for a wrong parcel.
    may_blame_callback: bool,
    stopped: Option<Stop>,
    /// Numbers in a row, without an accepted call between, that got this answer.
    sensitive: Vec<String>,
    bad_data: Vec<String>,
    /// When a call was accepted last.
    done_at: Option<TimestampMicros>,
    /// Since when no call could be sent.
    unsent_since: Option<TimestampMicros>,
    is_unsent_told: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stop {
    cause: StopCause,
    code: Option<String>,
    next_probe_at: TimestampMicros,
}

/// Why an account is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// The vendor does not know the key, or no units are left.
    Account,
    /// The vendor takes no call with this callback address.
    Callback,
}

/// What an answer changes for the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// No more calls, but for probes. To be told to people.
    Stopped {
        /// Why.
        cause: StopCause,
        /// The vendor's code.
        code: Option<String>,
    },
    /// Calls may be made again: those that wait for it are due.
    Resumed,
    /// Half as many calls a second until then.
    SlowDown {
        /// Until when.
        until: TimestampMicros,
    },
    /// Nothing could be sent for long. To be told to people.
    UnsentForLong,
}

impl Standing {
    /// The standing of an account whose subscriptions are refused with the same codes whether the parcel or the callback address is wrong.
    pub fn that_may_blame_callback() -> Self {
        Self {
            may_blame_callback: true,
            ..Self::default()
        }
    }

    /// Whether calls may be made.
    pub fn is_running(&self) -> bool {
        self.stopped.is_none()
    }

    /// Since when no call could be sent; `None` if the last one was.
    pub const fn unsent_since(&self) -> Option<TimestampMicros> {
        self.unsent_since
    }

    /// Why the account is stopped, and the vendor's code.
    pub fn stopped(&self) -> Option<(StopCause, Option<&str>)> {
        let stop = self.stopped.as_ref()?;
        Some((stop.cause, stop.code.as_deref()))
    }

    /// True if the account is stopped and one subscription is to try it now. It should be the one whose `not_before` is the earliest: after
    /// its try it goes to the end of the line, so a number that is at fault itself cannot keep the account stopped. The next probe is due
    /// only after another delay.
    pub fn takes_probe(&mut self, now: TimestampMicros, delays: &Delays) -> bool {
        match &mut self.stopped {
            Some(stop) if stop.next_probe_at <= now => {
                stop.next_probe_at = time::later(now, delays.probe);
                true
            }
            _ => false,
        }
    }

    /// Whether a call was accepted within [`Delays::not_recognised`]: then units are left.
    pub(super) fn has_units(&self, now: TimestampMicros, delays: &Delays) -> bool {
        self.done_at
            .is_some_and(|done| time::later(done, delays.not_recognised) >= now)
    }

    /// Takes note of an answer about a number.
    pub fn heard(
        &mut self,
        tracking_number: &str,
        answer: &Answer,
        now: TimestampMicros,
        delays: &Delays,
    ) -> Option<AccountChange> {
        if answer.outcome == Outcome::Unsent {
            return self.unsent(now, delays);
        }
        self.unsent_since = None;
        self.is_unsent_told = false;
        match answer.outcome {
            Outcome::Done => {
                self.done_at = Some(now);
                self.sensitive.clear();
                self.bad_data.clear();
                self.resume()
            }
            Outcome::Duplicate => self.resume(),
            Outcome::Account => self.stop(StopCause::Account, answer, now, delays),
            Outcome::Throttled(_) => Some(AccountChange::SlowDown {
                until: time::later(now, delays.slow_down),
            }),
            Outcome::Rejected(Reason::Sensitive) => {
                let is_callback = one_more(&mut self.sensitive, tracking_number) >= SENSITIVE_IN_A_ROW;
                self.refused(is_callback && self.may_blame_callback, answer, now, delays)
            }
            Outcome::Rejected(Reason::BadData) => {
                let is_callback = one_more(&mut self.bad_data, tracking_number) >= BAD_DATA_IN_A_ROW;
                self.refused(is_callback && self.may_blame_callback, answer, now, delays)
            }
            // The vendor's word for a carrier that it cannot detect also means that no units are left.
            Outcome::Rejected(Reason::NotRecognised)
            | Outcome::Retry
            | Outcome::Unheard
            | Outcome::Unanswered
            | Outcome::UnheardInDoubt
            | Outcome::Unsent => None,
            Outcome::Rejected(_) => self.refused(false, answer, now, delays),
        }
    }

    /// A number was refused: whoever can refuse a number knows the account.
    fn refused(
        &mut self,
        is_callback: bool,
        answer: &Answer,
        now: TimestampMicros,
        delays: &Delays,
    ) -> Option<AccountChange> {
        match &self.stopped {
            Some(stop) if stop.cause == StopCause::Callback => None,
            _ if is_callback => self.stop(StopCause::Callback, answer, now, delays),
            _ => self.resume(),
        }
    }

    fn stop(
        &mut self,
        cause: StopCause,
        answer: &Answer,
        now: TimestampMicros,
        delays: &Delays,
    ) -> Option<AccountChange> {
        let code = answer.code.clone();
        let next_probe_at = time::later(now, delays.probe);
        let is_news = self
            .stopped
            .as_ref()
            .is_none_or(|stop| stop.cause != cause || stop.code != code);
        self.stopped = Some(Stop {
            cause,
            code: code.clone(),
            next_probe_at,
        });
        is_news.then_some(AccountChange::Stopped { cause, code })
    }

    fn resume(&mut self) -> Option<AccountChange> {
        self.stopped.take()?;
        self.sensitive.clear();
        self.bad_data.clear();
        Some(AccountChange::Resumed)
    }

    fn unsent(&mut self, now: TimestampMicros, delays: &Delays) -> Option<AccountChange> {
        let since = *self.unsent_since.get_or_insert(now);
        let is_long = time::later(since, delays.unsent_alarm) <= now;
        if !is_long || self.is_unsent_told {
            return None;
        }
        self.is_unsent_told = true;
        Some(AccountChange::UnsentForLong)
    }
}

/// Adds a number once; how many there are now. No more are kept than are counted to.
fn one_more(numbers: &mut Vec<String>, tracking_number: &str) -> usize {
    let is_known = numbers.iter().any(|number| number == tracking_number);
    if !is_known && numbers.len() < BAD_DATA_IN_A_ROW.max(SENSITIVE_IN_A_ROW) {
        numbers.push(tracking_number.to_owned());
    }
    numbers.len()
}
