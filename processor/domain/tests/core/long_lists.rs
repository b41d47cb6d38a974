//! Pushes with more items than count (rule 4.12).

use courierflow_schemas::records::{Op, Status};
use serde_json::Value;

use crate::pushes::{Stream, derived, has_flag, item, kuaidi100};

fn minute_text(minute: usize) -> String {
    format!(
        "2025-06-{:02} {:02}:{:02}:00",
        1 + minute / 1_440,
        minute / 60 % 24,
        minute % 60
    )
}

/// A pick-up and then so many scans, one a minute; newest first, as Kuaidi100 sends them.
fn scans(count: usize) -> Vec<Value> {
    let scan = |minute| item(&minute_text(minute), if minute % 2 == 0 { "0" } else { "5" }, "scan");
    let mut list = vec![item(&minute_text(0), "103", "picked up")];
    list.extend((1..count).map(scan));
    list.reverse();
    list
}

#[test]
fn rule_4_12_five_thousand_items_count_the_earliest_and_the_newest() {
    for (count, left_out) in [(4_999, 0), (5_000, 0), (5_001, 1), (5_500, 500)] {
        let derived = derived(&kuaidi100(&scans(count)).event());
        let shipment = &derived.shipment;
        assert_eq!(shipment.events.len(), count.min(5_000), "{count}");
        assert_eq!(derived.counts.left_out, left_out, "{count}");
        assert_eq!(has_flag(shipment, "truncated"), left_out > 0, "{count}");
        let kept = (0..100).chain(100 + left_out as usize..count);
        let times: Vec<_> = shipment.events.iter().map(|event| event.local_time.clone()).collect();
        assert!(
            times.iter().eq(kept.map(minute_text).collect::<Vec<_>>().iter()),
            "{count}"
        );
        assert_eq!(shipment.milestones.picked_up_at, Some(shipment.events[0].occurred_at));
        assert_eq!(shipment.events[0].status, Status::PickedUp);
    }
}

#[test]
fn rule_4_12_what_falls_out_is_retracted_once() {
    let mut parcel = Stream::default();
    parcel.accept(&kuaidi100(&scans(5_000)).event());
    let next = parcel.accept(&kuaidi100(&scans(5_002)).event());
    let count = |op| next.transitions.iter().filter(|transition| transition.op == op).count();
    assert_eq!((next.counts.left_out, next.counts.retracted_events), (2, 2));
    assert_eq!(count(Op::Retracted), 2);
    // The two new ones, and the first behind the gap, which has another dwell time.
    assert_eq!(count(Op::Observed), 3);
    // The same again, and a push without items: nothing more is lost.
    let again = parcel.accept(&kuaidi100(&[]).event());
    assert_eq!(again.shipment.events, next.shipment.events);
    assert_eq!(again.transitions, []);
    assert!(has_flag(&again.shipment, "truncated"));
}
