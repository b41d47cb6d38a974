//! What follows from each class of answers.

use std::time::Duration;

use courierflow_domain::subscription::{Alarm, Effect, Input, Outcome};
use courierflow_schemas::records::{CallReason, Reason, SubscriptionState};

use crate::parcel::*;

use SubscriptionState::{Active, Calling, Rejected, Waiting};

#[test]
fn done_is_active() {
    let parcel = Parcel::active(with_quota());
    assert_eq!((parcel.says(), parcel.accepted()), ((Active, None), 1));
    assert_eq!((parcel.is().call_id, parcel.is().not_before), (None, None));
}

#[test]
fn a_vendor_that_fails_is_called_seven_times() {
    let pauses = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 4 * HOUR];
    for recovers in [true, false] {
        let mut parcel = Parcel::calling(with_quota());
        let mut ids = vec![parcel.call.unwrap().call_id];
        for pause in pauses {
            parcel.answer(Outcome::Retry);
            assert_eq!(
                (parcel.says(), parcel.pause()),
                ((Waiting, Some(Reason::VendorError)), pause)
            );
            assert_eq!(parcel.when_due().called(), Some(CallReason::Retry));
            ids.push(parcel.call.unwrap().call_id);
        }
        assert_eq!((ids.len(), parcel.is().attempt), (7, 7));
        ids.dedup();
        assert_eq!(ids.len(), 7, "each attempt is an intent of its own");
        if recovers {
            assert_eq!(parcel.answer(Outcome::Done).says(), (Active, None));
            assert_eq!(parcel.is().failed, 0);
        } else {
            assert_eq!(
                parcel.answer(Outcome::Retry).says(),
                (Rejected, Some(Reason::VendorError))
            );
            assert_eq!(parcel.accepted(), 0);
        }
    }
}

#[test]
fn an_answer_that_nobody_knows_is_a_failure_that_people_hear_of() {
    let mut parcel = Parcel::calling(with_quota());
    parcel.answer(Outcome::Unheard);
    assert_eq!((parcel.alarm(), parcel.pause()), (Some(Alarm::UnheardAnswer), MINUTE));
}

#[test]
fn a_lost_answer_repeats_the_same_intent_after_ten_seconds_and_then_as_a_failure() {
    let mut parcel = Parcel::calling(with_quota());
    let id = parcel.call.unwrap().call_id;
    for pause in [10 * SECOND, MINUTE, 5 * MINUTE] {
        parcel.answer(Outcome::Unanswered);
        assert_eq!(
            (parcel.says(), parcel.pause()),
            ((Waiting, Some(Reason::InDoubt)), pause)
        );
        assert_eq!(parcel.when_due().called(), Some(CallReason::InDoubt));
        assert_eq!((parcel.call.unwrap().call_id, parcel.is().attempt), (id, 1));
    }
    // It had arrived.
    parcel.answer(Outcome::Duplicate);
    assert_eq!(
        (parcel.says(), parcel.accepted(), parcel.is().duplicate),
        ((Active, None), 1, true)
    );
}

#[test]
fn a_doubt_outlives_a_failure() {
    let mut parcel = Parcel::calling(with_quota());
    let id = parcel.call.unwrap().call_id;
    parcel
        .answer(Outcome::Unanswered)
        .when_due()
        .answer(Outcome::Retry)
        .when_due();
    assert_eq!(parcel.call.unwrap().call_id, id);
    assert_eq!(parcel.answer(Outcome::Duplicate).phase(), Active);
    // Given up in doubt, it counts: it may have arrived.
    let mut parcel = Parcel::calling(with_quota());
    while parcel.answer(Outcome::Unanswered).phase() != Rejected {
        parcel.when_due();
    }
    assert_eq!((parcel.says().1, parcel.accepted()), (Some(Reason::VendorError), 1));
}

/// Had it been accepted, the vendor would say so when it is asked again.
#[test]
fn a_refusal_ends_the_doubt_about_the_same_request() {
    let mut parcel = Parcel::calling(with_quota());
    parcel.answer(Outcome::Unanswered).when_due();
    parcel.answer(Outcome::Rejected(Reason::UnknownCarrier));
    assert_eq!(
        (parcel.phase(), parcel.accepted(), parcel.is().in_doubt),
        (Rejected, 0, false)
    );
}

#[test]
fn calls_that_are_too_fast_or_not_sent_are_no_attempts() {
    let mut parcel = Parcel::calling(with_quota());
    let id = parcel.call.unwrap().call_id;
    for (outcome, pause) in [
        (Outcome::Throttled(Some(Duration::ZERO)), 5 * SECOND),
        (Outcome::Throttled(None), 5 * SECOND),
        (Outcome::Throttled(Some(Duration::from_secs(70))), 70 * SECOND),
        (Outcome::Unsent, 5 * SECOND),
        (Outcome::Unsent, 10 * SECOND),
        (Outcome::Unsent, 20 * SECOND),
        (Outcome::Unsent, 40 * SECOND),
        (Outcome::Unsent, 80 * SECOND),
        (Outcome::Unsent, 160 * SECOND),
        (Outcome::Unsent, 5 * MINUTE),
        (Outcome::Unsent, 5 * MINUTE),
        (Outcome::Throttled(None), 5 * SECOND),
        (Outcome::Unsent, 5 * SECOND),
    ] {
        parcel.answer(outcome);
        assert_eq!((parcel.phase(), parcel.pause()), (Waiting, pause), "{outcome:?}");
        parcel.when_due();
        assert_eq!(
            (parcel.call.unwrap().call_id, parcel.is().attempt),
            (id, 1),
            "{outcome:?}"
        );
    }
    for _ in 0..1_000 {
        parcel.answer(Outcome::Unsent).when_due();
    }
    assert_eq!(parcel.answer(Outcome::Done).phase(), Active);
}

#[test]
fn what_the_vendor_refuses_is_rejected() {
    for (reason, alarm) in [
        (Reason::UnknownCarrier, None),
        (Reason::BadData, None),
        (Reason::BadPlace, None),
        (Reason::Phone, None),
        (Reason::Sensitive, Some(Alarm::Sensitive)),
    ] {
        let mut parcel = Parcel::calling(with_quota());
        parcel.answer(Outcome::Rejected(reason));
        assert_eq!((parcel.says(), parcel.alarm()), ((Rejected, Some(reason)), alarm));
        assert!(parcel.has(&Effect::DropSecret));
        assert_eq!((parcel.accepted(), parcel.is().not_before), (0, None));
    }
}

#[test]
fn places_that_cannot_be_resolved_go_to_the_account_that_needs_none() {
    let mut terms = with_quota();
    terms.fallback_account = Some("plain".to_owned());
    let mut parcel = Parcel::calling(terms);
    parcel.answer(Outcome::Rejected(Reason::BadPlace));
    assert!(parcel.has(&Effect::Redirect("plain".to_owned())));
}

#[test]
fn a_carrier_that_is_not_known_is_detected_once_where_that_is_wanted() {
    let mut terms = with_quota();
    terms.detects_on_reject = true;
    let mut parcel = Parcel::calling(terms);
    parcel.answer(Outcome::Rejected(Reason::UnknownCarrier));
    assert_eq!((parcel.phase(), parcel.called()), (Calling, Some(CallReason::Retry)));
    assert_eq!(
        (parcel.is().vendor_carrier.as_str(), parcel.is().carrier.as_str()),
        ("", "unknown")
    );
    parcel.answer(Outcome::Done);
    let mut push = lines();
    push.carrier = Some(carrier("sto", "shentong"));
    parcel.push(&push);
    assert_eq!(
        (parcel.is().vendor_carrier.as_str(), parcel.is().carrier.as_str()),
        ("shentong", "sto")
    );
    assert_eq!(parcel.is().calls[0].vendor_carrier, "shentong");
    // And only once.
    let mut terms = with_quota();
    terms.detects_on_reject = true;
    let mut parcel = Parcel::calling(terms);
    parcel.answer(Outcome::Rejected(Reason::UnknownCarrier));
    parcel.answer(Outcome::Rejected(Reason::UnknownCarrier));
    assert_eq!(parcel.says(), (Rejected, Some(Reason::UnknownCarrier)));
}

#[test]
fn a_number_that_is_not_recognised_waits_once_unless_units_are_left() {
    let mut parcel = Parcel::calling(with_quota());
    let refused = Outcome::Rejected(Reason::NotRecognised);
    parcel.answer(refused);
    assert_eq!(
        (parcel.says(), parcel.pause()),
        ((Waiting, Some(Reason::NotRecognised)), 10 * MINUTE)
    );
    parcel.when_due().answer(refused);
    assert_eq!(parcel.says(), (Rejected, Some(Reason::NotRecognised)));
    // A call of the account was accepted just now: units are left.
    let mut parcel = Parcel::active(with_quota());
    parcel.state = None;
    parcel.request(&asked("r2")).after(9 * MINUTE).answer(refused);
    assert_eq!(parcel.says(), (Rejected, Some(Reason::NotRecognised)));
}

#[test]
fn an_answer_to_another_call_changes_nothing() {
    let mut parcel = Parcel::calling(with_quota());
    parcel.answer(Outcome::Retry);
    parcel.answer(Outcome::Done);
    assert_eq!((parcel.phase(), parcel.effects.len()), (Waiting, 0));
}

#[test]
fn a_call_that_was_restored_is_in_doubt_and_made_again_with_its_id() {
    let mut parcel = Parcel::calling(with_quota());
    let id = parcel.call.unwrap().call_id;
    parcel.call = None;
    parcel.give(Input::Restored);
    assert_eq!(
        (parcel.called(), parcel.call.unwrap().call_id),
        (Some(CallReason::InDoubt), id)
    );
    assert_eq!((parcel.is().attempt, parcel.is().in_doubt), (1, true));
    // Killed again: nothing new is to be emitted, but the call is made.
    parcel.give(Input::Restored);
    assert_eq!(parcel.effects, [Effect::Call(parcel.call.unwrap())]);
    parcel.answer(Outcome::Duplicate);
    assert_eq!((parcel.says(), parcel.accepted()), ((Active, None), 1));
    // Whatever else is restored waits for its timer.
    parcel.give(Input::Restored);
    assert_eq!(parcel.effects, []);
}
