//! The account as a whole: what stops it, who tries it, what lets it go on.

use courierflow_domain::subscription::{AccountChange, Answer, Delays, Input, Outcome, Standing, StopCause};
use courierflow_schemas::records::{CallId, CallReason, Reason, SubscriptionState, TimestampMicros};

use crate::parcel::*;

use SubscriptionState::{Active, Calling, Rejected, Waiting};

fn heard(standing: &mut Standing, number: &str, outcome: Outcome, now: i64) -> Option<AccountChange> {
    let answer = Answer {
        call_id: CallId::default(),
        started_at: TimestampMicros(now),
        outcome,
        code: Some("601".to_owned()),
    };
    standing.heard(number, &answer, TimestampMicros(now), &Delays::default())
}

fn stopped(cause: StopCause) -> AccountChange {
    AccountChange::Stopped {
        cause,
        code: Some("601".to_owned()),
    }
}

#[test]
fn an_account_without_units_is_tried_every_ten_minutes_and_nothing_is_lost() {
    let mut parcel = Parcel::calling(with_quota());
    parcel.answer(Outcome::Account);
    assert_eq!(parcel.says(), (Waiting, Some(Reason::AccountStopped)));
    assert!(matches!(parcel.change, Some(AccountChange::Stopped { .. })));
    // It is due, but nothing happens and nothing is emitted.
    parcel.give(Input::Due);
    assert_eq!(parcel.effects, []);
    // Others that come now wait, too.
    let mut other = Parcel::new(with_quota());
    other.standing = parcel.standing.clone();
    other.request(&asked("r1"));
    assert_eq!(
        (other.says(), other.called()),
        ((Waiting, Some(Reason::AccountStopped)), None)
    );

    let delays = Delays::default();
    for _ in 0..100 {
        parcel.after(10 * MINUTE - 1);
        assert!(!parcel.standing.takes_probe(TimestampMicros(parcel.now), &delays));
        parcel.after(1);
        assert!(parcel.standing.takes_probe(TimestampMicros(parcel.now), &delays));
        assert!(!parcel.standing.takes_probe(TimestampMicros(parcel.now), &delays));
        parcel.give(Input::Probe);
        assert_eq!((parcel.called(), parcel.is().attempt), (Some(CallReason::Probe), 1));
        parcel.answer(Outcome::Account);
        assert_eq!((parcel.phase(), parcel.change.clone()), (Waiting, None), "told once");
    }
    parcel.give(Input::Probe).answer(Outcome::Done);
    assert_eq!(
        (parcel.phase(), parcel.change.clone()),
        (Active, Some(AccountChange::Resumed))
    );
    other.standing = parcel.standing.clone();
    other.give(Input::Due);
    assert_eq!((other.phase(), other.called()), (Calling, Some(CallReason::New)));
}

#[test]
fn a_number_that_is_refused_shows_that_the_key_is_right() {
    let mut standing = Standing::default();
    heard(&mut standing, "A", Outcome::Account, 0);
    let change = heard(&mut standing, "B", Outcome::Rejected(Reason::UnknownCarrier), 1);
    assert_eq!((change, standing.is_running()), (Some(AccountChange::Resumed), true));
}

#[test]
fn several_numbers_in_a_row_show_that_the_callback_address_is_refused() {
    for (reason, count) in [(Reason::Sensitive, 3), (Reason::BadData, 5)] {
        let outcome = Outcome::Rejected(reason);
        let mut standing = Standing::that_may_blame_callback();
        for number in 1..count {
            assert_eq!(
                heard(&mut standing, &format!("N{number}"), outcome, 0),
                None,
                "{reason}"
            );
        }
        assert_eq!(
            heard(&mut standing, "N1", outcome, 0),
            None,
            "the same number again is no proof"
        );
        assert_eq!(
            heard(&mut standing, "last", outcome, 0),
            Some(stopped(StopCause::Callback))
        );
        // Another refusal does not let it go on, a success does.
        assert_eq!(heard(&mut standing, "more", outcome, 0), None);
        assert_eq!(
            heard(&mut standing, "good", Outcome::Done, 0),
            Some(AccountChange::Resumed)
        );
        assert_eq!(
            heard(&mut standing, "more", outcome, 0),
            None,
            "counted from the beginning"
        );
    }
    // Not in a row.
    let mut standing = Standing::that_may_blame_callback();
    for number in 0..20 {
        assert_eq!(
            heard(
                &mut standing,
                &format!("N{number}"),
                Outcome::Rejected(Reason::BadData),
                0
            ),
            None
        );
        heard(&mut standing, "good", Outcome::Done, 0);
    }
}

#[test]
fn where_a_wrong_callback_address_has_words_of_its_own_wrong_parcels_do_not_stop_the_account() {
    let mut standing = Standing::default();
    for number in 0..20 {
        let outcome = Outcome::Rejected(Reason::BadData);
        assert_eq!(heard(&mut standing, &format!("N{number}"), outcome, 0), None);
    }
    assert!(standing.is_running());
}

#[test]
fn while_the_callback_address_is_refused_nothing_is_rejected_for_it() {
    for (reason, count) in [(Reason::Sensitive, 3), (Reason::BadData, 5)] {
        let outcome = Outcome::Rejected(reason);
        let mut parcel = Parcel::calling(with_quota());
        for number in 1..count {
            heard(&mut parcel.standing, &format!("N{number}"), outcome, 0);
        }
        parcel.answer(outcome);
        assert_eq!(parcel.says(), (Waiting, Some(Reason::AccountStopped)), "{reason}");
        let mut parcel = Parcel::calling(with_quota());
        assert_eq!(parcel.answer(outcome).phase(), Rejected, "{reason}");
    }
}

#[test]
fn too_many_calls_slow_the_account_down_for_a_minute() {
    let change = heard(&mut Standing::default(), "A", Outcome::Throttled(None), 5);
    let until = TimestampMicros(5 + MINUTE);
    assert_eq!(change, Some(AccountChange::SlowDown { until }));
}

#[test]
fn people_hear_once_that_nothing_can_be_sent() {
    let mut standing = Standing::default();
    assert_eq!(heard(&mut standing, "A", Outcome::Unsent, 0), None);
    assert_eq!(heard(&mut standing, "B", Outcome::Unsent, 15 * MINUTE - 1), None);
    assert_eq!(
        heard(&mut standing, "A", Outcome::Unsent, 15 * MINUTE),
        Some(AccountChange::UnsentForLong)
    );
    assert_eq!(heard(&mut standing, "A", Outcome::Unsent, 20 * MINUTE), None);
    heard(&mut standing, "A", Outcome::Retry, 21 * MINUTE);
    assert_eq!(heard(&mut standing, "A", Outcome::Unsent, 22 * MINUTE), None);
}
