//! Requests: the first row and the last two of the machine's table, and the layers of idempotency.

use courierflow_domain::subscription::{Effect, Outcome, RequestOutcome, cancel_without_account, is_forgotten, refuse};
use courierflow_schemas::records::{
    CallReason, Reason, SubscriptionSecret, SubscriptionState, TimestampMicros, TimestampMillis,
};
use courierflow_vendors::snapshot::TrackingWord;

use crate::parcel::*;

#[test]
fn a_first_request_is_called_in_the_same_step() {
    let mut parcel = Parcel::new(with_quota());
    let mut request = asked("r1");
    request.phone = Some("8888".to_owned());
    parcel.request(&request);
    let secret = SubscriptionSecret {
        phone: request.phone.clone(),
        ..SubscriptionSecret::default()
    };
    let call = parcel.call.unwrap();
    assert_eq!(call.reason, CallReason::New);
    assert_eq!(
        parcel.effects,
        [
            Effect::Emit,
            Effect::WriteSecret(Box::new(secret)),
            Effect::Call(call),
            Effect::Count(RequestOutcome::Accepted)
        ]
    );
    let is = parcel.is();
    assert_eq!((is.state, is.call_id), (SubscriptionState::Calling, Some(call.call_id)));
    assert_eq!((is.round, is.attempt, is.version), (1, 1, parcel.now));
    assert_eq!((is.vendor.as_str(), is.api.as_str()), ("kuaidi100", "enterprise"));
}

#[test]
fn a_request_without_a_delay_does_not_wait_for_the_next_millisecond() {
    for micros in [0, 1, 999] {
        let mut parcel = Parcel::new(with_quota());
        parcel.after(micros).request(&asked("r1"));
        assert_eq!(parcel.phase(), SubscriptionState::Calling, "{micros}");
    }
}

#[test]
fn a_request_that_is_not_due_waits() {
    let mut parcel = Parcel::new(with_quota());
    let mut request = asked("r1");
    request.not_before = Some(TimestampMillis(parcel.now / 1_000 + 5_000));
    parcel.request(&request);
    assert_eq!(
        (parcel.says(), parcel.called()),
        ((SubscriptionState::Waiting, None), None)
    );
    parcel
        .after(4 * SECOND)
        .give(courierflow_domain::subscription::Input::Due);
    assert_eq!(parcel.effects, [], "not yet");
    assert_eq!(parcel.when_due().called(), Some(CallReason::New));
}

#[test]
fn a_request_that_cannot_be_used_is_rejected_for_everybody_to_see() {
    let step = refuse(None, ("", ""), &asked("r1"), Reason::BadData, TimestampMicros(7));
    let is = step.state.unwrap();
    assert_eq!(
        (is.state, is.reason),
        (SubscriptionState::Rejected, Some(Reason::BadData))
    );
    assert_eq!(step.effects, [Effect::Emit, Effect::Count(RequestOutcome::Refused)]);
    // What is alive is left alone.
    let parcel = Parcel::active(with_quota());
    let before = parcel.state.clone();
    let step = refuse(
        before.clone(),
        ("kuaidi100", "demo"),
        &forced("r2"),
        Reason::BadData,
        TimestampMicros(7),
    );
    assert_eq!(
        (step.state, step.effects),
        (before, vec![Effect::Count(RequestOutcome::Refused)])
    );
}

#[test]
fn what_is_alive_is_not_asked_for_twice() {
    let no_record = word(TrackingWord::AbortedNoRecord, false);
    let calling = || Parcel::calling(with_quota());
    let mut waiting = Parcel::active(with_quota());
    waiting.push(&no_record);
    let mut fallback = Parcel::active(with_quota());
    fallback.push(&word(TrackingWord::AbortedStale, false));
    let mut quota = calling();
    for month in &mut quota.state.as_mut().unwrap().calls {
        month.accepted = 4;
    }
    for (mut parcel, state) in [
        (calling(), SubscriptionState::Calling),
        (waiting, SubscriptionState::Waiting),
        (Parcel::active(with_quota()), SubscriptionState::Active),
        (fallback, SubscriptionState::Fallback),
    ] {
        assert_eq!(parcel.phase(), state);
        parcel.request(&forced("r2"));
        assert_eq!(parcel.effects, [Effect::Count(RequestOutcome::Already)], "{state}");
        parcel.request(&asked("r1"));
        assert_eq!(parcel.effects, [Effect::Count(RequestOutcome::Repeated)], "{state}");
    }
}

#[test]
fn after_the_end_only_a_forced_new_request_half_an_hour_later_subscribes_again() {
    let ended = || {
        let mut parcel = Parcel::active(with_quota());
        parcel.push(&word(TrackingWord::Ended, true));
        assert_eq!(parcel.phase(), SubscriptionState::Ended);
        assert!(parcel.has(&Effect::DropSecret));
        parcel
    };
    for (name, request, minutes, outcome) in [
        ("the same id", forced("r1"), 31, RequestOutcome::Repeated),
        ("not forced", asked("r2"), 31, RequestOutcome::Already),
        ("too soon", forced("r2"), 29, RequestOutcome::Already),
    ] {
        let mut parcel = ended();
        parcel.after(minutes * MINUTE).request(&request);
        assert_eq!(parcel.effects, [Effect::Count(outcome)], "{name}");
    }
    let mut parcel = ended();
    parcel.after(31 * MINUTE).request(&forced("r2"));
    assert_eq!(parcel.called(), Some(CallReason::New));
    assert_eq!((parcel.is().round, parcel.is().attempt, parcel.accepted()), (1, 1, 1));
    assert_eq!(parcel.is().request_ids, ["r1", "r2"]);
    // And the ids of the life before are still known.
    parcel.answer(Outcome::Done).push(&word(TrackingWord::Ended, true));
    parcel.after(HOUR).request(&forced("r1"));
    assert_eq!(parcel.counted(), Some(RequestOutcome::Repeated));
}

#[test]
fn four_ids_are_remembered() {
    let mut parcel = Parcel::active(with_quota());
    for id in ["r2", "r3", "r4", "r5"] {
        parcel.push(&word(TrackingWord::Ended, true));
        parcel
            .after(31 * MINUTE)
            .request(&forced(id))
            .answer(Outcome::Rejected(Reason::UnknownCarrier));
        parcel.after(31 * MINUTE);
    }
    assert_eq!(parcel.is().request_ids, ["r2", "r3", "r4", "r5"]);
}

#[test]
fn anything_but_the_end_can_be_cancelled() {
    let mut parcel = Parcel::active(with_quota());
    parcel.request(&cancel("c1"));
    assert_eq!(parcel.says(), (SubscriptionState::Cancelled, Some(Reason::Cancelled)));
    assert_eq!(
        parcel.effects,
        [
            Effect::Emit,
            Effect::DropSecret,
            Effect::Count(RequestOutcome::Accepted)
        ]
    );
    parcel.request(&cancel("c2"));
    assert_eq!(parcel.effects, [Effect::Count(RequestOutcome::Already)]);
    let mut parcel = Parcel::new(with_quota());
    parcel.request(&cancel("c1"));
    assert_eq!(
        (parcel.state.is_none(), parcel.counted()),
        (true, Some(RequestOutcome::Already))
    );
}

#[test]
fn a_call_that_was_cancelled_on_its_way_counts_and_its_answer_does_not() {
    let mut parcel = Parcel::calling(with_quota());
    parcel.request(&cancel("c1"));
    assert_eq!(parcel.accepted(), 1, "it may have arrived");
    parcel.answer(Outcome::Done);
    assert_eq!(
        (parcel.phase(), parcel.effects.len()),
        (SubscriptionState::Cancelled, 0)
    );
}

#[test]
fn without_its_account_a_subscription_can_still_be_cancelled() {
    let before = Parcel::active(with_quota()).is().clone();
    let now = TimestampMicros(before.version + 5);
    let step = cancel_without_account(before.clone(), "r9", now);
    let state = step.state.unwrap();
    assert_eq!(
        (state.state, state.reason),
        (SubscriptionState::Cancelled, Some(Reason::Cancelled))
    );
    assert_eq!((state.version, state.since, state.not_before), (now.0, now, None));
    assert!(step.effects.contains(&Effect::Emit) && step.effects.contains(&Effect::DropSecret));
    // Once, and only before its end.
    let again = cancel_without_account(state.clone(), "r9", now);
    assert_eq!(again.effects, [Effect::Count(RequestOutcome::Repeated)]);
    let ended = cancel_without_account(state, "r10", now);
    assert_eq!(ended.effects, [Effect::Count(RequestOutcome::Already)]);
}

#[test]
fn an_end_is_forgotten_after_forty_days() {
    let mut parcel = Parcel::active(with_quota());
    let later = |parcel: &Parcel, days| TimestampMicros(parcel.now + days * DAY);
    assert!(!is_forgotten(parcel.is(), later(&parcel, 400), &parcel.terms));
    parcel.request(&cancel("c1"));
    assert!(!is_forgotten(parcel.is(), later(&parcel, 39), &parcel.terms));
    assert!(is_forgotten(parcel.is(), later(&parcel, 40), &parcel.terms));
}

#[test]
fn a_request_from_the_future_is_one_of_now() {
    for (requested_at, expected) in [(5, 5), (i64::MAX, Parcel::new(with_quota()).now)] {
        let mut parcel = Parcel::new(with_quota());
        let mut request = asked("r1");
        request.requested_at = TimestampMicros(requested_at);
        parcel.request(&request);
        assert_eq!(parcel.is().requested_at, TimestampMicros(expected));
    }
}

#[test]
fn an_id_that_was_taken_out_of_a_request_is_none() {
    let step = refuse(None, ("", ""), &asked(""), Reason::BadData, TimestampMicros(7));
    assert_eq!(step.state.unwrap().request_ids, [""; 0]);
}
