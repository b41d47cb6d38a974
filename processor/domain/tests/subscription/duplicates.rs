//! The vendor says "subscribed already": one test per line of the table, in its order.

use courierflow_domain::subscription::{AccountTerms, Alarm, DuplicateMeans, Outcome};
use courierflow_schemas::records::{MonthOfCalls, Reason, SubscriptionState, TimestampMicros, TimestampMillis, Vendor};
use courierflow_vendors::snapshot::TrackingWord;

use crate::parcel::*;

use SubscriptionState::{Active, Calling, Ended, Fallback, Quota, Waiting};

/// Called, after the vendor ended the last subscription so long ago.
fn calling_after_end(terms: AccountTerms, since_end: i64) -> Parcel {
    let mut parcel = Parcel::calling(terms);
    let ended_at = parcel.now - since_end;
    parcel.state.as_mut().unwrap().ended_at = Some(TimestampMicros(ended_at));
    parcel
}

fn with_calls(parcel: &mut Parcel, month: i32, accepted: u16) {
    parcel.state.as_mut().unwrap().calls = vec![MonthOfCalls {
        month,
        vendor_carrier: "yuantong".to_owned(),
        accepted,
        last_at: TimestampMillis(0),
    }];
}

#[test]
fn line_1_a_call_of_this_intent_was_unanswered() {
    let mut parcel = calling_after_end(with_quota(), MINUTE);
    parcel.answer(Outcome::Unanswered).when_due();
    with_calls(&mut parcel, 202_611, 3);
    parcel.answer(Outcome::Duplicate);
    assert_eq!((parcel.says(), parcel.accepted()), ((Active, None), 4));
}

#[test]
fn line_2_a_push_with_items_came_since() {
    let mut parcel = Parcel::active(with_quota());
    parcel.push(&word(
        courierflow_vendors::snapshot::TrackingWord::AbortedNoRecord,
        false,
    ));
    parcel.push(&lines()).when_due();
    with_calls(&mut parcel, 202_611, 4);
    parcel.answer(Outcome::Duplicate);
    assert_eq!((parcel.says(), parcel.accepted()), ((Active, None), 4));
    assert_eq!(parcel.is().not_before, None, "its pushes come");
}

#[test]
fn line_3_the_quota_of_the_month_is_used_up() {
    let mut parcel = calling_after_end(with_quota(), DAY);
    with_calls(&mut parcel, 202_611, 4);
    parcel.answer(Outcome::Duplicate);
    assert_eq!(parcel.says(), (Quota, Some(Reason::Quota)));
    let wakes = parcel.is().not_before.unwrap().0 * 1_000;
    assert!((at("2026-11-30T16:10:00Z")..at("2026-11-30T22:10:00Z")).contains(&wakes));
}

#[test]
fn line_3_for_an_hour_after_the_turn_the_clocks_may_differ() {
    for (time, expected) in [
        ("2026-11-30T16:59:59Z", (Waiting, Some(Reason::Quota))),
        ("2026-11-30T17:00:00Z", (Active, None)),
    ] {
        let mut parcel = Parcel::new(with_quota());
        parcel.now = at(time);
        parcel.request(&asked("r1"));
        with_calls(&mut parcel, 202_611, 4);
        parcel.answer(Outcome::Duplicate);
        assert_eq!(parcel.says(), expected, "{time}");
        if parcel.phase() == Waiting {
            assert_eq!(parcel.pause(), HOUR);
        }
    }
}

#[test]
fn line_4_the_end_is_too_recent() {
    let mut parcel = calling_after_end(with_quota(), 29 * MINUTE);
    for _ in 0..2 {
        parcel.answer(Outcome::Duplicate);
        assert_eq!(
            (parcel.says(), parcel.pause()),
            ((Waiting, Some(Reason::TooEarly)), 30 * MINUTE)
        );
        parcel.when_due();
        // As if the clocks differed.
        parcel.state.as_mut().unwrap().ended_at = Some(TimestampMicros(parcel.now - MINUTE));
    }
    parcel.answer(Outcome::Duplicate);
    assert_eq!(parcel.says(), (Fallback, Some(Reason::TooEarly)));
}

#[test]
fn line_5_the_end_was_long_ago() {
    let mut parcel = calling_after_end(with_quota(), 30 * MINUTE);
    parcel.answer(Outcome::Duplicate);
    assert_eq!(
        (parcel.says(), parcel.pause()),
        ((Waiting, Some(Reason::Quota)), 4 * HOUR)
    );
    parcel.when_due().answer(Outcome::Duplicate);
    assert_eq!(parcel.says(), (Quota, Some(Reason::Quota)));
    // Not for ever: the next month did not help either.
    assert_eq!(parcel.when_due().phase(), Calling);
    parcel.after(2 * HOUR).answer(Outcome::Duplicate);
    assert_eq!(parcel.says(), (Fallback, Some(Reason::Quota)));
}

#[test]
fn line_6_somebody_else_has_subscribed_it() {
    let foreign = || {
        let mut parcel = Parcel::calling(with_quota());
        parcel.answer(Outcome::Duplicate);
        assert_eq!((parcel.says(), parcel.accepted()), ((Active, None), 0));
        assert_eq!((parcel.is().duplicate, parcel.pause()), (true, DAY));
        parcel
    };
    let mut parcel = foreign();
    parcel.when_due();
    assert_eq!(
        (parcel.says(), parcel.alarm()),
        ((Fallback, Some(Reason::Foreign)), Some(Alarm::Foreign))
    );
    // Unless its pushes come here.
    let mut parcel = foreign();
    parcel.after(HOUR).push(&lines());
    assert_eq!((parcel.says(), parcel.is().not_before), ((Active, None), None));
}

#[test]
fn for_a_vendor_without_quota_it_is_success() {
    let mut parcel = calling_after_end(without_quota(), MINUTE);
    parcel.answer(Outcome::Duplicate);
    assert_eq!(parcel.says(), (Active, None));
}

#[test]
fn our_own_subscription_is_not_taken_for_a_foreign_one_when_no_push_comes() {
    let mut arrived = Parcel::calling(with_quota());
    arrived
        .answer(Outcome::Unanswered)
        .when_due()
        .answer(Outcome::Duplicate);
    let mut followed = Parcel::calling(without_quota());
    followed.answer(Outcome::Duplicate);
    for mut parcel in [arrived, followed] {
        assert_eq!((parcel.says(), parcel.is().duplicate), ((Active, None), true));
        assert_eq!(parcel.is().not_before, None, "nothing has to be proved");
        // As if an older program had set the clock.
        parcel.state.as_mut().unwrap().not_before = Some(TimestampMillis(parcel.now / 1_000 + 1));
        parcel.when_due();
        assert_eq!(parcel.says(), (Active, None));
        assert_eq!((parcel.is().not_before, parcel.alarm()), (None, None));
    }
}

#[test]
fn whose_calls_were_counted_before_is_not_foreign_either() {
    let mut parcel = Parcel::active(with_quota());
    parcel.request(&cancel("c1")).after(HOUR).request(&forced("r2"));
    parcel.answer(Outcome::Duplicate).after(2 * DAY);
    assert_eq!((parcel.says(), parcel.is().not_before), ((Active, None), None));
}

#[test]
fn a_registered_number_is_called_once_more_whoever_has_registered_it() {
    let terms = || AccountTerms {
        vendor: Vendor::SeventeenTrack,
        duplicate: DuplicateMeans::Registered,
        ..without_quota()
    };
    for answer in [Outcome::Done, Outcome::Duplicate] {
        let mut parcel = Parcel::calling(terms());
        parcel.answer(Outcome::Duplicate);
        assert_eq!((parcel.phase(), parcel.is().round), (Calling, 2));
        parcel.answer(answer);
        assert_eq!((parcel.phase(), parcel.is().duplicate), (Active, false));
        assert_eq!(parcel.is().not_before, None, "it has nothing to prove");
    }
    // Asked for again after its end.
    let mut parcel = Parcel::active(terms());
    parcel.push(&word(TrackingWord::Ended, true));
    assert_eq!(parcel.phase(), Ended);
    parcel.after(DAY).request(&forced("r2")).answer(Outcome::Duplicate);
    assert_eq!((parcel.phase(), parcel.is().round), (Calling, 2));
    // The answer to the first call was lost, and it had arrived.
    let mut parcel = Parcel::calling(terms());
    parcel.answer(Outcome::Unanswered).when_due().answer(Outcome::Duplicate);
    assert_eq!((parcel.phase(), parcel.is().round), (Active, 1));
}
