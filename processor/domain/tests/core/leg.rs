//! Returns that a text alone tells (rule 6.5, the leg): what follows bears them out or not.

use courierflow_schemas::records::Leg;

use crate::pushes::*;

/// The code of a line, or a return by its text.
fn history(lines: &[&str]) -> courierflow_schemas::records::Shipment {
    let lines: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(hour, code)| match *code {
            "退" => item(&hour_text(hour), "", "快件正退回寄件人"),
            code => item(&hour_text(hour), code, &format!("第{hour}条")),
        })
        .collect();
    shipment(&kuaidi100(&lines).set("lastResult.state", "").event())
}

#[test]
fn rule_6_5_a_return_by_text_that_a_delivery_follows_did_not_turn_the_parcel_round() {
    for lines in [
        &["103", "5", "退", "5", "301"][..],
        &["103", "退", "301"],
        &["103", "5", "退", "501", "301"],
    ] {
        let shipment = history(lines);
        assert_eq!(parcel_status(&shipment), "DELIVERED/RECIPIENT/301", "{lines:?}");
        assert_eq!(shipment.leg, Leg::Forward);
        assert!(shipment.milestones.delivered_at.is_some());
        assert_eq!(shipment.milestones.returning_at, None, "only on the return leg");
        let told = shipment.events.iter().find(|event| event.raw_code.is_none()).unwrap();
        assert_eq!(
            (told.status.as_str(), told.leg),
            ("RETURNING", Leg::Forward),
            "the event stays what it is"
        );
    }
}

#[test]
fn rule_6_5_a_return_by_text_is_borne_out_by_another_or_by_silence() {
    for lines in [
        &["103", "5", "退"][..],
        &["103", "5", "退", "0", "1002"],
        &["103", "5", "退", "0", "6", "3"],
        &["103", "退", "退", "5", "3"],
    ] {
        let shipment = history(lines);
        assert_eq!(shipment.leg, Leg::Return, "{lines:?}");
        assert!(shipment.milestones.returning_at.is_some());
        assert_eq!(shipment.milestones.delivered_at, None);
    }
    assert_eq!(
        history(&["103", "6", "5", "3"]).leg,
        Leg::Return,
        "a code needs no witness"
    );
}

#[test]
fn rule_6_5_behind_the_delivery_such_a_return_is_passed_over() {
    let shipment = history(&["103", "301", "退", "5"]);
    assert_eq!(parcel_status(&shipment), "DELIVERED/RECIPIENT/301");
    assert_eq!(shipment.milestones.returning_at, None);
    let turned = history(&["103", "5", "301", "退"]);
    assert_eq!(
        (turned.leg, turned.status.as_str()),
        (Leg::Return, "RETURNING"),
        "nothing gainsays it"
    );
    let future = {
        let lines = [
            item("2025-06-01 08:00:00", "103", "a"),
            item("2025-06-02 08:00:00", "", "快件正退回寄件人"),
            item("2025-07-03 08:00:00", "5", "b"),
        ];
        crate::pushes::shipment(&kuaidi100(&lines).set("lastResult.state", "").event())
    };
    assert_eq!(future.leg, Leg::Forward, "an announcement counts as what follows");
}
