//! Lives of a number: how they are named, when one ends, and what a lost state must not do (rule 12.2).

use courierflow_schemas::records::{Op, Status};
use serde_json::Value;

use crate::pushes::*;

fn abort() -> Kuaidi100 {
    kuaidi100(&[]).set("status", "abort").set("message", "3天查询无记录")
}

fn whole_life() -> Vec<Value> {
    codes(&["101", "103", "0", "5", "301"])
}

#[test]
fn rule_12_2a_without_events_an_epoch_is_named_by_its_receipt() {
    let empty = shipment(&abort().received("2025-06-05T23:59:59Z").event());
    assert_eq!((empty.epoch, empty.is_provisional), (day("2025-06-05"), true));
    let future = shipment(&kuaidi100(&[item("2026-01-01 08:00:00", "", "预计送达")]).event());
    assert_eq!((future.epoch, future.is_provisional), (day("2025-06-30"), true));
}

#[test]
fn rule_12_2b_with_its_first_events_the_shipment_moves_and_the_row_without_events_is_retired() {
    let mut stream = Stream::default();
    let empty = stream
        .accept(&abort().received("2025-06-05T00:00:00Z").event())
        .shipment;
    let moved = stream.accept(&kuaidi100(&whole_life()).event()).shipment;
    assert_eq!(
        (moved.epoch, moved.retired_epoch),
        (day("2025-06-01"), Some(empty.epoch))
    );
    assert_eq!(moved.first_received_at, empty.first_received_at);
    assert!(!moved.is_provisional);
    assert_eq!(stream.row().events.len(), 5);
    let next = stream
        .accept(&kuaidi100(&whole_life()).set("status", "shutdown").event())
        .shipment;
    assert_eq!(next.retired_epoch, Some(empty.epoch), "told as long as this life lasts");
    // On the same day there is nothing to retire.
    let mut stream = Stream::default();
    stream.accept(&abort().received("2025-06-01T00:00:00Z").event());
    let same = stream.accept(&kuaidi100(&whole_life()).event()).shipment;
    assert_eq!(
        (same.epoch, same.retired_epoch, same.is_provisional),
        (day("2025-06-01"), None, false)
    );
}

#[test]
fn rule_12_2b_events_of_the_future_move_with_their_transitions() {
    let lines = [item("2025-07-01 00:30:00", "103", "a")];
    let mut stream = Stream::default();
    let first = stream.accept(&kuaidi100(&lines).received("2025-06-30T15:00:00Z").event());
    assert_eq!((first.shipment.epoch, first.transitions.len()), (day("2025-06-30"), 1));
    let other = stream.accept(
        &kuaidi100(&lines)
            .set("status", "updateall")
            .received("2025-06-30T15:30:00Z")
            .event(),
    );
    assert_eq!(other.shipment.epoch, day("2025-06-30"), "still the future");
    let moved = {
        let mut lines = lines.to_vec();
        lines.insert(0, item("2025-06-28 08:00:00", "101", "z"));
        stream.accept(&kuaidi100(&lines).received("2025-06-30T16:00:00Z").event())
    };
    assert_eq!(moved.shipment.epoch, day("2025-06-28"));
    let rows: Vec<_> = moved
        .transitions
        .iter()
        .map(|transition| (transition.op, transition.epoch))
        .collect();
    assert_eq!(
        rows,
        [
            (Op::Retracted, day("2025-06-30")),
            (Op::Observed, day("2025-06-28")),
            (Op::Observed, day("2025-06-28"))
        ]
    );
    assert_eq!((stream.row().events.len(), stream.transitions.len()), (2, 2));
}

#[test]
fn rule_12_2a_the_future_opens_no_new_epoch() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&whole_life()).event());
    let announced = [item("2026-01-01 08:00:00", "", "预计送达")];
    let shipment = stream
        .accept(&kuaidi100(&announced).set("status", "updateall").event())
        .shipment;
    assert_eq!(shipment.epoch, day("2025-06-01"));
}

/// A number used again after 20 days overwrote the delivered parcel.
#[test]
fn rule_12_2c_a_life_that_reached_its_end_is_over_after_a_day() {
    // The last event of the first life is at 10:00.
    for (last, begins, is_new) in [
        ("301", "2025-06-02 09:59:59", false),
        ("301", "2025-06-02 10:00:00", true),
        ("401", "2025-06-21 10:00:00", true),
        ("4", "2025-06-21 10:00:00", true),
        ("0", "2025-06-21 10:00:00", false),
        ("204", "2025-06-21 10:00:00", false),
    ] {
        let mut stream = Stream::default();
        stream.accept(&kuaidi100(&codes(&["103", "5", last])).set("status", "shutdown").event());
        let next = kuaidi100(&[item(begins, "103", "n")]).received("2025-07-10T00:00:00Z");
        let derived = stream.accept(&next.event());
        assert_eq!(derived.counts.new_epochs == 1, is_new, "{last} {begins}");
        assert_eq!(stream.rows.len(), if is_new { 2 } else { 1 });
    }
    // After rule 8.4 the status is DELIVERED still.
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["103", "301", "5"])).event());
    let next = kuaidi100(&[item("2025-06-20 08:00:00", "103", "n")]).received("2025-07-10T00:00:00Z");
    assert_eq!(stream.accept(&next.event()).counts.new_epochs, 1);
}

#[test]
fn rule_12_2c_a_snapshot_that_shares_an_event_is_no_new_life() {
    let mut stream = Stream::default();
    let announced = item("2026-01-01 08:00:00", "", "预计送达");
    let mut lines = codes(&["103", "5", "301"]);
    lines.push(announced.clone());
    stream.accept(&kuaidi100(&lines).event());
    let next = [item("2025-06-20 08:00:00", "0", "n"), announced];
    let derived = stream.accept(&kuaidi100(&next).received("2025-07-10T00:00:00Z").event());
    assert_eq!(derived.counts.new_epochs, 0);
}

/// After the state was dropped, an abort overwrote the delivered parcel with UNKNOWN and no events, or a second row counted it
/// twice.
#[test]
fn rule_12_2d_after_the_state_is_dropped_no_row_loses_an_event_and_a_life_has_one_row() {
    let first = || kuaidi100(&whole_life()).set("status", "shutdown").event();
    let whole = |push: Kuaidi100| push.received("2025-08-20T00:00:00Z").event();
    let with_future = {
        let mut lines = whole_life();
        lines.push(item("2026-01-01 08:00:00", "", "预计送达"));
        lines
    };
    let mut enriched = whole_life();
    enriched[2]["areaCode"] = "CN440306025000".into();
    let pushes = [
        whole(kuaidi100(&whole_life())),
        whole(kuaidi100(&whole_life()).set("status", "shutdown")),
        whole(kuaidi100(&whole_life()).set("status", "updateall")),
        whole(
            kuaidi100(&whole_life())
                .set("status", "abort")
                .set("message", "60天无变化"),
        ),
        whole(kuaidi100(&with_future)),
        whole(kuaidi100(&enriched)),
    ];
    for opens_empty in [false, true] {
        for push in &pushes {
            for nothing_between in [false, true] {
                let mut stream = Stream::default();
                if opens_empty {
                    stream.accept(&abort().received("2025-05-30T00:00:00Z").event());
                }
                stream.accept(&first());
                stream.drop_state();
                if nothing_between {
                    stream.accept(&abort().received("2025-08-19T00:00:00Z").event());
                    let known = stream.rows.values().find(|row| !row.events.is_empty()).unwrap();
                    assert_eq!(
                        (known.status, known.events.len()),
                        (Status::Delivered, 5),
                        "the row stays"
                    );
                }
                stream.accept(push);
                let row = stream.row();
                assert!(row.events.len() >= 5 && row.epoch == day("2025-06-01"));
                assert_eq!(row.status, Status::Delivered);
                let ids = stream
                    .transitions
                    .keys()
                    .map(|(_, _, _, id)| id)
                    .collect::<std::collections::BTreeSet<_>>();
                assert_eq!(ids.len(), stream.transitions.len());
            }
        }
    }
}

/// Its two lives would have the same name, and the second one's rows would stand beside those of the first.
#[test]
fn rule_12_1_no_life_has_the_name_of_the_one_before_it() {
    let mut stream = Stream::default();
    let (begun, earlier) = (item("2025-06-12 08:00:00", "", "您的快件已发车"), "2025-06-01 00:00:00");
    for (items, received) in [
        (vec![begun.clone()], "2025-06-30T00:00:00Z"),
        (
            vec![item(earlier, "", "您的快件已发车"), begun.clone()],
            "2025-06-30T01:00:00Z",
        ),
        (vec![item(earlier, "3", "您的快件已发车")], "2025-06-30T08:00:00Z"),
        (vec![begun], "2025-06-30T15:00:00Z"),
    ] {
        stream.accept(&kuaidi100(&items).received(received).event());
    }
    let transitions: Vec<_> = stream.transitions.values().map(|row| row.to_status).collect();
    assert_eq!((stream.rows.len(), transitions), (1, vec![Status::InTransit]));
}
