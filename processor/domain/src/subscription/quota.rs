//! How many subscriptions of a number the vendor has accepted in a China month, and when the next month's begin.

use courierflow_schemas::records::{MonthOfCalls, Subscription, TimestampMicros, TimestampMillis};

use super::jitter::jitter;
use super::months::ChinaMonth;
use super::terms::{AccountTerms, Delays};
use super::time;

/// How many calls the vendor accepted in a month under the carrier that the subscription has now.
pub fn accepted(subscription: &Subscription, month: ChinaMonth) -> u16 {
    let of_month = subscription
        .calls
        .iter()
        .find(|calls| calls.month == month.number() && calls.vendor_carrier == subscription.vendor_carrier);
    of_month.map_or(0, |calls| calls.accepted)
}

/// True if the vendor accepts no further call in this month.
pub fn is_used_up(subscription: &Subscription, month: ChinaMonth, terms: &AccountTerms) -> bool {
    let max = terms.max_subscriptions_per_month;
    max.is_some_and(|max| accepted(subscription, month) >= max)
}

/// Counts a call that the vendor accepted, by the month in which it began, and forgets all months but that one and the one before.
pub(super) fn count(subscription: &mut Subscription, vendor_carrier: &str, started_at: TimestampMicros) {
    let month = ChinaMonth::of(started_at);
    let last_at = time::millis(started_at);
    let calls = &mut subscription.calls;
    let is_the_same =
        |calls: &&mut MonthOfCalls| calls.month == month.number() && calls.vendor_carrier == vendor_carrier;
    if let Some(calls) = calls.iter_mut().find(is_the_same) {
        calls.accepted = calls.accepted.saturating_add(1);
        calls.last_at = calls.last_at.max(last_at);
    } else {
        calls.push(MonthOfCalls {
            month: month.number(),
            vendor_carrier: vendor_carrier.to_owned(),
            accepted: 1,
            last_at,
        });
    }
    calls.retain(|calls| calls.month >= month.previous().number());
}

/// Gives what was counted without a carrier to the one that the vendor has detected.
pub(super) fn rename(calls: &mut Vec<MonthOfCalls>, vendor_carrier: &str) {
    let (unnamed, named) = std::mem::take(calls)
        .into_iter()
        .partition(|of_month| of_month.vendor_carrier.is_empty());
    *calls = named;
    let unnamed: Vec<MonthOfCalls> = unnamed;
    for of_month in unnamed {
        let is_the_same =
            |other: &&mut MonthOfCalls| other.month == of_month.month && other.vendor_carrier == vendor_carrier;
        if let Some(known) = calls.iter_mut().find(is_the_same) {
            known.accepted = known.accepted.saturating_add(of_month.accepted);
            known.last_at = known.last_at.max(of_month.last_at);
        } else {
            calls.push(MonthOfCalls {
                vendor_carrier: vendor_carrier.to_owned(),
                ..of_month
            });
        }
    }
}

/// When the last accepted call began.
pub(super) fn last_accepted_at(subscription: &Subscription) -> Option<TimestampMillis> {
    subscription.calls.iter().map(|calls| calls.last_at).max()
}

/// When a number without quota is to be subscribed again: in the next month, but not all numbers at once.
pub fn wakes_at(tracking_number: &str, now: TimestampMicros, delays: &Delays) -> TimestampMillis {
    let spread = jitter(tracking_number, "quota", delays.quota_wake_jitter);
    let begin = ChinaMonth::of(now).next().begin();
    time::after(begin, delays.quota_wake.saturating_add(spread))
}
