//! Who may say what (rule 5.3): an unsigned push of another account closed a verified, delivered parcel for good.

use courierflow_schemas::records::{PushEvent, Signature, Status, TrackingState};

use crate::pushes::*;

fn unsigned(push: &Kuaidi100) -> PushEvent {
    PushEvent {
        signature: Signature::Unsigned,
        account: "open".to_owned(),
        ..push.event()
    }
}

fn correction() -> Kuaidi100 {
    kuaidi100(&[]).set("status", "abort").set("comNew", "ems")
}

#[test]
fn rule_5_3_an_unsigned_push_changes_nothing_of_a_verified_parcel() {
    let mut stream = Stream::default();
    stream.accept(
        &kuaidi100(&codes(&["103", "5", "301"]))
            .set("status", "shutdown")
            .event(),
    );
    let before = stream.clone();
    let known = kuaidi100(&codes(&["103", "5", "301"])).set("status", "shutdown");
    for push in [correction(), kuaidi100(&codes(&["103", "5", "301", "204"])), known] {
        let late = push.received("2025-09-01T00:00:00Z");
        assert_eq!(stream.push(&unsigned(&late)), Step::Outranked, "also a repetition");
        assert_eq!(stream, before);
    }
    assert!(
        matches!(stream.push(&correction().event()), Step::Accepted(_)),
        "signed"
    );
}

#[test]
fn rule_5_3_unsigned_pushes_count_where_nobody_signs_until_somebody_does() {
    let mut stream = Stream::default();
    stream.accept(&unsigned(&kuaidi100(&codes(&["103"]))));
    let second = stream.accept(&unsigned(&kuaidi100(&codes(&["103", "0"])))).shipment;
    assert_eq!((second.is_verified, second.account.as_str()), (false, "open"));
    let third = stream.accept(&kuaidi100(&codes(&["103", "0", "5"])).event()).shipment;
    assert_eq!((third.is_verified, third.account.as_str()), (true, "demo"));
    assert_eq!(
        stream.push(&unsigned(&kuaidi100(&codes(&["103", "0", "5", "3"])))),
        Step::Outranked
    );
    // Also in the next life of the number.
    let reused = kuaidi100(&[item("2025-09-01 08:00:00", "103", "n")]).received("2025-09-02T00:00:00Z");
    assert_eq!(stream.push(&unsigned(&reused)), Step::Outranked);
}

#[test]
fn rule_5_9_an_answer_needs_no_signature_and_rule_5_10_it_gives_and_takes_none() {
    for signature in [Signature::Verified, Signature::Unsigned] {
        let answered = |list: &[&str], received: &str| PushEvent {
            signature,
            ..answer(&codes(list), received)
        };
        // Where pushes are signed: the answer counts, and an unsigned push still does not.
        let mut stream = Stream::default();
        stream.accept(&kuaidi100(&codes(&["103"])).event());
        let told = stream.accept(&answered(&["103", "0"], "2025-07-01T00:00:00Z")).shipment;
        assert!(told.is_verified, "{signature:?}");
        let late = kuaidi100(&codes(&["103", "0", "5"])).received("2025-07-02T00:00:00Z");
        assert_eq!(stream.push(&unsigned(&late)), Step::Outranked, "{signature:?}");

        // Where nobody signs: the pushes after the answer count as before.
        let mut stream = Stream::default();
        stream.accept(&unsigned(&kuaidi100(&codes(&["103"]))));
        let told = stream.accept(&answered(&["103", "0"], "2025-07-01T00:00:00Z")).shipment;
        assert!(!told.is_verified, "{signature:?}");
        stream.accept(&unsigned(&late));

        // Where no push was before.
        let mut stream = Stream::default();
        let told = stream.accept(&answered(&["103"], "2025-07-01T00:00:00Z")).shipment;
        assert!(!told.is_verified, "{signature:?}");
        stream.accept(&unsigned(&late));
    }
}

#[test]
fn rule_5_3_a_correction_ends_when_the_old_carrier_scans_the_parcel_afterwards() {
    let corrected = |lines: &[&str]| {
        let mut stream = Stream::default();
        stream.accept(&kuaidi100(&codes(lines)).event());
        // 2025-06-01 11:00 in China.
        stream.accept(&correction().received("2025-06-01T03:00:00Z").event());
        stream
    };
    let mut stream = corrected(&["103"]);
    let late = stream
        .accept(&kuaidi100(&codes(&["103", "0", "0", "0"])).event())
        .shipment;
    assert_eq!(
        late.tracking_state,
        TrackingState::CarrierCorrected,
        "11:00 is not later"
    );
    let scanned = stream
        .accept(&kuaidi100(&codes(&["103", "0", "0", "0", "5"])).event())
        .shipment;
    assert_eq!(
        (scanned.tracking_state, scanned.corrected_at),
        (TrackingState::Active, None)
    );
    assert_eq!(scanned.status, Status::OutForDelivery);
    for (word, state) in [("shutdown", TrackingState::Ended), ("updateall", TrackingState::Active)] {
        let push = kuaidi100(&codes(&["103", "0", "0", "0", "5"])).set("status", word);
        assert_eq!(corrected(&["103"]).accept(&push.event()).shipment.tracking_state, state);
    }
    // Known before: no news.
    let mut stream = corrected(&["103", "0", "0", "0", "5"]);
    let known = kuaidi100(&codes(&["103", "0", "0", "0", "501"]));
    assert_eq!(
        stream.accept(&known.event()).shipment.tracking_state,
        TrackingState::CarrierCorrected
    );
}

/// The second correction has the content of the first.
#[test]
fn rule_5_3_a_parcel_that_lives_on_can_be_corrected_again() {
    let mut stream = Stream::default();
    stream.accept(&correction().received("2025-06-01T03:00:00Z").event());
    assert_eq!(
        stream.push(&correction().received("2025-06-01T03:30:00Z").event()),
        Step::Duplicate
    );
    stream.accept(
        &kuaidi100(&codes(&["103", "0", "0", "0", "5"]))
            .received("2025-06-01T04:30:00Z")
            .event(),
    );
    let again = stream
        .accept(&correction().received("2025-06-01T05:00:00Z").event())
        .shipment;
    assert_eq!(again.tracking_state, TrackingState::CarrierCorrected);
    assert_eq!(again.corrected_at, Some(micros("2025-06-01T05:00:00Z")));
}
