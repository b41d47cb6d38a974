//! The rows of the machine's table from REQUESTED to FALLBACK.

use courierflow_domain::subscription::{Effect, Input, Outcome};
use courierflow_schemas::records::{CallReason, MonthOfCalls, Reason, Status, SubscriptionState, TimestampMillis};
use courierflow_vendors::snapshot::TrackingWord;

use crate::parcel::*;

use SubscriptionState::{Active, Calling, Ended, Expired, Fallback, Quota, Waiting};

fn no_record() -> courierflow_domain::subscription::PushWord {
    word(TrackingWord::AbortedNoRecord, false)
}

fn stale() -> courierflow_domain::subscription::PushWord {
    word(TrackingWord::AbortedStale, true)
}

fn four_accepted(parcel: &mut Parcel, month: i32) {
    parcel.state.as_mut().unwrap().calls = vec![MonthOfCalls {
        month,
        vendor_carrier: "yuantong".to_owned(),
        accepted: 4,
        last_at: TimestampMillis(0),
    }];
}

#[test]
fn calling_a_push_with_items_heals_a_lost_answer() {
    let mut parcel = Parcel::calling(with_quota());
    parcel.push(&word(TrackingWord::Active, false));
    assert_eq!(parcel.phase(), Calling, "without items it proves nothing");
    parcel.push(&stale());
    assert_eq!(parcel.phase(), Calling, "the abort of the round before, told again");
    parcel.push(&lines());
    assert_eq!((parcel.says(), parcel.accepted()), ((Active, None), 1));
    // The answer comes late and is not counted again.
    parcel.answer(Outcome::Done);
    assert_eq!((parcel.effects.len(), parcel.accepted()), (0, 1));
    // A parcel that has arrived already is told and ended in one push.
    let mut parcel = Parcel::calling(with_quota());
    parcel
        .answer(Outcome::Unanswered)
        .push(&word(TrackingWord::Ended, true));
    assert_eq!((parcel.phase(), parcel.accepted()), (Ended, 1));
}

#[test]
fn calling_a_push_before_the_call_was_made_counts_nothing() {
    let mut parcel = Parcel::calling(with_quota());
    parcel.give(Input::PushBeforeCall(&word(TrackingWord::Active, false)));
    assert_eq!(parcel.phase(), Calling, "without items it proves nothing");
    parcel.give(Input::PushBeforeCall(&lines()));
    assert_eq!((parcel.says(), parcel.accepted()), ((Active, None), 0));
    assert_eq!(
        (parcel.is().call_id, parcel.is().attempt),
        (None, 0),
        "the call is not made"
    );
    // A correction, too, but for the carrier that the vendor has subscribed by itself.
    let mut push = word(TrackingWord::Corrected, false);
    push.corrected_to = Some(carrier("ems", "ems"));
    let mut parcel = Parcel::calling(with_quota());
    parcel.give(Input::PushBeforeCall(&push));
    assert_eq!(
        (parcel.says(), parcel.accepted()),
        ((Active, Some(Reason::Corrected)), 1)
    );
    assert_eq!(parcel.is().calls[0].vendor_carrier, "ems");
    // One whose first try got no answer may have arrived by that.
    let mut parcel = Parcel::calling(with_quota());
    parcel.answer(Outcome::Unanswered).when_due();
    assert_eq!(parcel.phase(), Calling);
    parcel.give(Input::PushBeforeCall(&lines()));
    assert_eq!((parcel.says(), parcel.accepted()), ((Active, None), 1));
}

#[test]
fn active_only_the_first_push_changes_the_record() {
    let mut parcel = Parcel::active(with_quota());
    parcel.after(HOUR).push(&lines());
    assert_eq!(parcel.effects, [Effect::Emit]);
    assert_eq!(parcel.is().first_push_at.unwrap().0, parcel.now);
    parcel.after(HOUR).push(&lines());
    assert_eq!(parcel.effects, []);
}

#[test]
fn active_the_vendor_says_that_it_is_done() {
    let mut parcel = Parcel::active(with_quota());
    parcel.push(&word(TrackingWord::Ended, true));
    assert_eq!(
        (parcel.says(), parcel.is().ended_word.as_deref()),
        ((Ended, None), Some("shutdown"))
    );
}

#[test]
fn active_the_parcel_is_at_its_end_and_the_vendor_says_nothing() {
    for (terms, days) in [(with_quota(), 7), (without_quota(), 1)] {
        for status in [Status::Delivered, Status::Returned, Status::Cancelled] {
            let mut parcel = Parcel::active(terms.clone());
            parcel.parcel_ends(status);
            assert_eq!((parcel.phase(), parcel.pause()), (Active, days * DAY), "{status}");
            parcel.when_due();
            assert_eq!(
                (parcel.phase(), parcel.is().ended_word.as_deref()),
                (Ended, Some(status.as_str()))
            );
        }
    }
    // It had come to its end before it was subscribed: no shipment tells of it, the push does.
    let mut parcel = Parcel::active(without_quota());
    parcel.after(HOUR).push(&delivered());
    assert_eq!((parcel.phase(), parcel.pause()), (Active, DAY));
    parcel.after(HOUR).push(&delivered());
    assert_eq!(parcel.effects, []);
    parcel.when_due();
    assert_eq!(
        (parcel.phase(), parcel.is().ended_word.as_deref()),
        (Ended, Some("DELIVERED"))
    );
    // The push also tells that a call without an answer was accepted.
    let mut parcel = Parcel::calling(without_quota());
    parcel.answer(Outcome::Unanswered).push(&delivered());
    assert_eq!((parcel.phase(), parcel.pause()), (Active, DAY));
    // What is derived knows better, also when the vendor tells it once more.
    parcel.give(Input::Parcel(None));
    parcel.after(HOUR).push(&delivered());
    assert_eq!(
        (
            parcel.phase(),
            parcel.is().ended_word.as_deref(),
            parcel.is().not_before
        ),
        (Active, None, None)
    );
    // Another carrier has a parcel of this number.
    let mut of_another = delivered();
    of_another.carrier = Some(carrier("ems", "ems"));
    let mut parcel = Parcel::active(without_quota());
    parcel.push(&of_another);
    assert_eq!((parcel.phase(), parcel.is().ended_word.as_deref()), (Active, None));
    // A parcel that only queries were followed by.
    let mut parcel = Parcel::active(without_quota());
    while parcel.phase() != Fallback {
        parcel.after(3 * DAY).push(&no_record());
        if parcel.phase() == Calling {
            parcel.answer(Outcome::Done);
        }
    }
    parcel.push(&delivered());
    assert_eq!((parcel.phase(), parcel.pause()), (Active, DAY));
    // A sign-off that was taken back.
    let mut parcel = Parcel::active(with_quota());
    parcel.parcel_ends(Status::Delivered).give(Input::Parcel(None));
    assert_eq!(
        (parcel.is().ended_word.as_deref(), parcel.is().not_before),
        (None, None)
    );
    // Nobody needs a further round of it.
    parcel.parcel_ends(Status::Delivered).push(&no_record());
    assert_eq!(parcel.phase(), Ended);
}

#[test]
fn active_without_a_record_it_is_subscribed_again_half_an_hour_later() {
    let mut parcel = Parcel::active(with_quota());
    parcel.after(3 * DAY).push(&no_record());
    assert_eq!(parcel.says(), (Waiting, Some(Reason::NoRecord)));
    assert!(parcel.has(&Effect::Resubscribed(Reason::NoRecord)));
    assert!((30 * MINUTE..=35 * MINUTE).contains(&parcel.pause()));
    let due = parcel.is().not_before;
    parcel.after(MINUTE).push(&no_record());
    assert_eq!((parcel.effects.len(), parcel.is().not_before), (0, due), "told again");
    assert_eq!(parcel.when_due().called(), Some(CallReason::Resubscribe));
    assert_eq!((parcel.is().round, parcel.is().attempt), (2, 1));
    // The identical abort of the second round is news.
    parcel.answer(Outcome::Done).after(3 * DAY).push(&no_record());
    assert_eq!(parcel.says(), (Fallback, Some(Reason::NoRecord)));
}

#[test]
fn active_without_a_record_and_without_quota_waits_for_the_month() {
    let mut parcel = Parcel::active(with_quota());
    four_accepted(&mut parcel, 202_611);
    parcel.now = at("2026-11-30T15:59:30Z");
    parcel.push(&no_record());
    assert_eq!((parcel.says(), parcel.called()), ((Quota, Some(Reason::Quota)), None));
    let wakes = parcel.is().not_before.unwrap().0 * 1_000;
    assert!((at("2026-11-30T16:10:00Z")..at("2026-11-30T22:10:00Z")).contains(&wakes));
    assert_eq!(parcel.when_due().called(), Some(CallReason::Resubscribe));
    parcel.answer(Outcome::Done);
    assert_eq!(parcel.is().calls.last().unwrap().month, 202_612);
}

#[test]
fn active_the_same_abort_in_the_first_minute_of_december_in_china_has_quota() {
    let mut parcel = Parcel::active(with_quota());
    four_accepted(&mut parcel, 202_611);
    parcel.now = at("2026-11-30T16:00:00Z");
    parcel.push(&no_record());
    assert_eq!(parcel.phase(), Waiting);
}

#[test]
fn active_nothing_changed_for_long_one_query_decides() {
    let fallback = || {
        let mut parcel = Parcel::active(with_quota());
        parcel.after(60 * DAY).push(&stale());
        assert_eq!(parcel.says(), (Fallback, Some(Reason::Stale)));
        parcel.after(DAY);
        parcel
    };
    let mut parcel = fallback();
    parcel.give(Input::Queried { brings_news: true });
    assert_eq!((parcel.called(), parcel.is().round), (Some(CallReason::Resubscribe), 2));
    let mut parcel = fallback();
    parcel.give(Input::Queried { brings_news: false });
    assert_eq!(parcel.says(), (Expired, Some(Reason::Stale)));
    // Nobody can ask: it expires all the same.
    let mut parcel = fallback();
    assert_eq!(parcel.when_due().says(), (Expired, Some(Reason::Stale)));
}

#[test]
fn active_a_correction_needs_no_call() {
    let mut push = word(TrackingWord::Corrected, false);
    push.corrected_to = Some(carrier("ems", "ems"));
    let mut parcel = Parcel::active(with_quota());
    parcel.push(&push);
    assert_eq!(
        (parcel.says(), parcel.called()),
        ((Active, Some(Reason::Corrected)), None)
    );
    let is = parcel.is();
    assert_eq!((is.carrier.as_str(), is.vendor_carrier.as_str()), ("ems", "ems"));
    assert_eq!(is.former_carriers, ["yuantong"]);
    let counted: Vec<_> = is
        .calls
        .iter()
        .map(|calls| (calls.vendor_carrier.as_str(), calls.accepted))
        .collect();
    assert_eq!(counted, [("yuantong", 1), ("ems", 1)]);
    parcel.push(&push);
    assert_eq!(parcel.effects, [], "told again");
}

#[test]
fn active_a_correction_begins_a_subscription_that_has_to_prove_itself_anew() {
    let mut push = word(TrackingWord::Corrected, false);
    push.corrected_to = Some(carrier("ems", "ems"));
    let mut parcel = Parcel::active(with_quota());
    let followed_since = parcel.is().since;
    // The vendor had nothing to tell under the wrong carrier, and said so.
    parcel.after(HOUR).push(&word(TrackingWord::Active, false));
    assert!(parcel.is().first_push_at.is_some());
    parcel.after(3 * DAY).push(&push);
    let corrected_at = parcel.is().since;
    assert!(
        corrected_at > followed_since,
        "the questions about a push that is late are counted from here"
    );
    assert_eq!(parcel.is().first_push_at, None);
    parcel.after(HOUR).push(&push);
    assert_eq!(parcel.is().since, corrected_at, "told again");
    parcel.after(HOUR).push(&lines());
    assert_eq!(parcel.phase(), Active);
    assert!(parcel.is().first_push_at.is_some());
    assert_eq!(parcel.is().since, corrected_at);
}

#[test]
fn active_a_vendor_without_quota_is_asked_again_at_once_up_to_five_times() {
    for push in [no_record(), stale()] {
        let mut parcel = Parcel::active(without_quota());
        for round in 2..=5 {
            parcel.after(3 * DAY).push(&push);
            assert_eq!((parcel.phase(), parcel.is().round), (Calling, round));
            assert_eq!(parcel.called(), Some(CallReason::Resubscribe));
            parcel.answer(Outcome::Done);
        }
        assert_eq!(parcel.after(3 * DAY).push(&push).phase(), Fallback);
        // It is asked daily, and no single answer is the last one.
        for brings_news in [false, true] {
            assert_eq!(parcel.give(Input::Queried { brings_news }).phase(), Fallback);
        }
        assert_eq!(parcel.when_due().phase(), Expired);
    }
}

#[test]
fn active_at_once_is_not_while_the_call_before_may_be_in_flight() {
    let mut parcel = Parcel::calling(without_quota());
    parcel.push(&lines()).after(SECOND).push(&no_record());
    assert_eq!((parcel.phase(), parcel.pause()), (Waiting, 9 * SECOND + 1_000));
    assert_eq!(parcel.when_due().phase(), Calling);
}

#[test]
fn quota_wakes_in_the_next_month_and_not_all_numbers_at_once() {
    let delays = courierflow_domain::subscription::Delays::default();
    let now = courierflow_schemas::records::TimestampMicros(at("2026-12-31T15:59:59Z"));
    let wakes: Vec<_> = (0..100)
        .map(|number| courierflow_domain::subscription::quota::wakes_at(&format!("YT{number}"), now, &delays).0)
        .collect();
    let (first, last) = (at("2026-12-31T16:10:00Z") / 1_000, at("2026-12-31T22:10:00Z") / 1_000);
    assert!(wakes.iter().all(|wake| (first..=last).contains(wake)));
    assert!(wakes.iter().max().unwrap() - wakes.iter().min().unwrap() > 5 * 3_600_000);
}

#[test]
fn fallback_is_left_by_a_push_by_the_end_of_the_parcel_or_by_time() {
    let fallback = || {
        let mut parcel = Parcel::active(with_quota());
        parcel
            .push(&no_record())
            .when_due()
            .answer(Outcome::Done)
            .push(&no_record());
        assert_eq!((parcel.phase(), parcel.pause()), (Fallback, 30 * DAY));
        parcel
    };
    assert_eq!(fallback().push(&lines()).says(), (Active, None));
    assert_eq!(fallback().push(&no_record()).effects, []);
    assert_eq!(fallback().push(&word(TrackingWord::Ended, true)).phase(), Ended);
    let mut parcel = fallback();
    parcel.after(DAY).parcel_ends(Status::Delivered);
    assert_eq!((parcel.phase(), parcel.pause()), (Fallback, DAY));
    assert_eq!(parcel.when_due().phase(), Ended);
    assert_eq!(fallback().when_due().says(), (Expired, Some(Reason::NoRecord)));
}
