//! Delivered stays delivered: scans and clock codes behind the sign-off (rule 8.4).

use courierflow_schemas::records::Verdict;

use crate::pushes::*;

fn after_delivery(late: &[&str]) -> courierflow_domain::Derived {
    let mut list = vec!["103", "5", "301"];
    list.extend(late);
    derived(&kuaidi100(&codes(&list)).event())
}

/// Couriers sign off at the door and scan "out for delivery" in the van five minutes later: the parcel was out for delivery for ever.
#[test]
fn rule_8_4_scans_behind_the_delivery_do_not_change_the_status() {
    for late in ["101", "1", "0", "1002", "8", "5", "501"] {
        let derived = after_delivery(&[late]);
        let shipment = &derived.shipment;
        assert_eq!(parcel_status(shipment), "DELIVERED/RECIPIENT/301", "{late}");
        assert_eq!(shipment.milestones.delivered_at, Some(china("2025-06-01T10:00:00")));
        assert!(has_flag(shipment, "post_terminal_scan"), "{late}");
        assert_eq!(derived.transitions.len(), 4, "its transition stays");
        assert_eq!(derived.transitions[3].verdict, Verdict::Anomaly);
        assert_eq!(shipment.attempts, 1, "no round of delivery");
    }
    let twice = after_delivery(&["5", "5"]);
    assert_eq!((twice.shipment.attempts, twice.transitions.len()), (1, 4));
    assert_eq!(
        twice.shipment.milestones.last_event_at,
        Some(china("2025-06-01T12:00:00"))
    );
}

/// Kdniao 403 and Kuaidi100 201 days after the signature: an exception of the carrier, in its exception rate.
#[test]
fn rule_8_4_clock_codes_behind_the_delivery_are_no_exceptions() {
    for late in ["201", "202", "205"] {
        let derived = after_delivery(&[late]);
        let shipment = &derived.shipment;
        assert_eq!(parcel_status(shipment), "DELIVERED/RECIPIENT/301", "{late}");
        assert!(shipment.exception_codes.is_empty() && shipment.exception_reasons.is_empty());
        assert!(!shipment.events[3].is_exception);
        let transition = derived.transitions.last().unwrap();
        assert_eq!((transition.is_exception, &transition.party), (false, &None));
        assert!(has_flag(shipment, "post_terminal_scan"));
    }
    let mut named = codes(&["103", "5", "301"]);
    let mut line = item("2025-06-03 08:00:00", "", "x");
    line["status"] = "超时未更新".into();
    named.push(line);
    let shipment = shipment(&kuaidi100(&named).event());
    assert_eq!(
        (shipment.exception_reasons.len(), parcel_status(&shipment)),
        (0, "DELIVERED/RECIPIENT/301".to_owned())
    );
    let before = derived(&kuaidi100(&codes(&["103", "202", "5", "301"])).event()).shipment;
    assert_eq!(before.exception_reasons, ["NO_UPDATE"], "before the delivery it counts");
}

#[test]
fn rule_8_4_every_other_event_counts_as_before() {
    for (late, status) in [
        (&["204"][..], "EXCEPTION/DELIVERY_FAILED/204"),
        (&["209"], "EXCEPTION/DAMAGED/209"),
        (&["303"], "DELIVERED/PROXY/303"),
        (&["6"], "RETURNING/RETURNING/6"),
        (&["6", "0"], "IN_TRANSIT/IN_TRANSIT/0"),
        (&["401"], "CANCELLED/WAYBILL_VOIDED/401"),
        (&["204", "5"], "EXCEPTION/DELIVERY_FAILED/204"),
        (&["5", "204", "202"], "EXCEPTION/DELIVERY_FAILED/204"),
        // Carried out and delivered again: rule 10.2.
        (&["5", "304"], "DELIVERED/LOCKER_OR_STATION/304"),
    ] {
        assert_eq!(parcel_status(&after_delivery(late).shipment), status, "{late:?}");
    }
    assert!(!has_flag(&after_delivery(&["303"]).shipment, "post_terminal_scan"));
}

#[test]
fn rule_8_4_an_announcement_of_tomorrow_does_not_change_the_status_either() {
    let mut lines = codes(&["103", "5", "301"]);
    lines.push(item("2025-07-02 08:00:00", "5", "x"));
    let shipment = shipment(&kuaidi100(&lines).event());
    assert_eq!(parcel_status(&shipment), "DELIVERED/RECIPIENT/301");
    assert_eq!(shipment.flags, ["future_time", "post_terminal_scan"]);
}
