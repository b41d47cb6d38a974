//! Which pushes count, and which life they belong to: rules 5.2, 5.3 and 12.2.

use courierflow_schemas::records::{Origin, PushEvent, Signature, Vendor};
use serde_json::{Value, json};

use super::{
    ExpectedRecord, NUMBER, china, expected, item, k100, k100_items, kdn, only, ops, push_event, trace, versions,
};

fn a() -> Value {
    item("2025-06-16 01:00:00", "1", "a")
}

fn b() -> Value {
    item("2025-06-16 02:00:00", "5", "b")
}

fn c() -> Value {
    item("2025-06-16 03:00:00", "3", "c")
}

/// A push of Kuaidi100 with this word and these items.
fn word(received_at: &str, word: &str, items: &[Value]) -> PushEvent {
    k100(received_at, json!({"status": word, "lastResult": {"data": items}}))
}

fn correction(received_at: &str) -> PushEvent {
    k100(
        received_at,
        json!({"status": "abort", "comOld": "yuantong", "comNew": "ems"}),
    )
}

fn unsigned(mut push: PushEvent) -> PushEvent {
    push.signature = Signature::Unsigned;
    push
}

fn epochs(told: &[PushEvent]) -> Vec<String> {
    expected(told).shipment.iter().map(|row| row.epoch.clone()).collect()
}

fn retired(told: &[PushEvent]) -> Vec<String> {
    let records = expected(told).records;
    let retired = records.into_iter().filter_map(|record| match record {
        ExpectedRecord::Retired(row) => Some(row.epoch),
        _ => None,
    });
    retired.collect()
}

fn state(told: &[PushEvent]) -> String {
    only(&expected(told)).tracking_state.clone()
}

// ---- rule 12.2
// -------------------------------------------------------------------------------------------------------

#[test]
fn rule_12_2a_an_epoch_without_events_has_the_day_of_the_receipt() {
    let abort = word("2025-01-01 07:59:59", "abort", &[]);
    assert_eq!(epochs(&[abort]), ["2024-12-31"], "the UTC day");
    let tomorrow = k100_items("2025-06-16 12:00:00", &[item("2025-06-18 12:00:00", "1", "a")]);
    let tables = expected(&[tomorrow]);
    assert_eq!((&*only(&tables).epoch, only(&tables).event.len()), ("2025-06-16", 1));
}

#[test]
fn rule_12_2b_the_first_events_move_the_shipment() {
    let told = [
        word("2025-01-01 12:00:00", "abort", &[]),
        k100_items("2025-06-01 12:00:00", &[item("2025-06-01 07:00:00", "1", "a")]),
    ];
    let shipment = only(&expected(&told)).clone();
    assert_eq!(
        (&*shipment.epoch, &*shipment.status, &*shipment.tracking_state),
        ("2025-05-31", "PICKED_UP", "ACTIVE")
    );
    assert_eq!(shipment.first_received_at, china("2025-01-01 12:00:00") * 1_000_000);
    assert_eq!(retired(&told), ["2025-01-01"]);
    let on_the_same_day = [
        word("2025-06-01 12:00:00", "abort", &[]),
        k100_items("2025-06-01 13:00:00", &[item("2025-06-01 09:00:00", "1", "a")]),
    ];
    assert!(retired(&on_the_same_day).is_empty());
    assert_eq!(epochs(&on_the_same_day), ["2025-06-01"]);
}

#[test]
fn rule_12_2b_events_that_all_lie_in_the_future_are_none() {
    let told = |received_at: &str| k100_items(received_at, &[item("2025-06-18 12:00:00", "1", "a")]);
    let told = [told("2025-06-16 12:00:00"), told("2025-06-18 12:00:00")];
    let tables = expected(&told);
    assert_eq!(
        (retired(&told), &*only(&tables).epoch),
        (vec!["2025-06-16".to_owned()], "2025-06-18")
    );
    assert_eq!(
        ops(&tables),
        ["OBSERVED PICKED_UP", "RETRACTED PICKED_UP", "OBSERVED PICKED_UP"]
    );
    assert_eq!(tables.transition.len(), 1);
    assert_eq!(tables.transition[0].epoch, "2025-06-18");
}

#[test]
fn rule_12_2a_the_future_opens_no_epoch() {
    let told = [
        k100_items("2025-06-16 12:00:00", &[a(), b(), c()]),
        k100_items("2025-06-17 12:00:00", &[item("2026-06-17 12:00:00", "1", "x")]),
    ];
    assert_eq!(epochs(&told), ["2025-06-15"]);
}

#[test]
fn rule_12_2c_a_life_that_is_over_ends_after_a_day() {
    let lives = |last: &str, begins: &str| {
        let told = [
            k100_items("2025-06-16 12:00:00", &[item("2025-06-16 03:00:00", last, "c"), a()]),
            k100_items("2025-06-20 12:00:00", &[item(begins, "1", "x")]),
        ];
        epochs(&told).len()
    };
    for over in ["3", "4", "401"] {
        assert_eq!(lives(over, "2025-06-17 03:00:00"), 2, "{over}");
        assert_eq!(lives(over, "2025-06-17 02:59:59"), 1, "{over}");
    }
    assert_eq!(lives("204", "2025-06-17 03:00:00"), 1);
    // After rule 8.4: the scan behind the delivery does not revive it, but it is its last event.
    let told = |begins: &str| {
        let scan = item("2025-06-16 04:00:00", "0", "d");
        let told = [
            k100_items("2025-06-16 12:00:00", &[scan, c(), a()]),
            k100_items("2025-06-20 12:00:00", &[item(begins, "1", "x")]),
        ];
        epochs(&told).len()
    };
    assert_eq!((told("2025-06-17 03:59:59"), told("2025-06-17 04:00:00")), (1, 2));
}

// ---- rule 5.2 -------------------------------------------------------------------------------------------------------

#[test]
fn rule_5_2a_a_push_time_of_the_future_is_none() {
    let push = |time: &str, push_time: &str, traces: Value| kdn(time, Some(push_time), json!({"Traces": traces}));
    let one = json!([trace("2025-06-16 01:00:00", "1", "a")]);
    let two = json!([
        trace("2025-06-16 01:00:00", "1", "a"),
        trace("2025-06-16 02:00:00", "2", "b")
    ]);
    let told = |first: &str| {
        versions(&expected(&[
            push("2025-06-16 03:00:00", first, one.clone()),
            push("2025-06-16 03:05:00", "2025-06-16 03:05:00", two.clone()),
        ]))
    };
    assert_eq!(told("2025-06-16 03:10:01"), 2, "none, nor is it remembered");
    assert_eq!(told("2026-06-16 03:00:00"), 2);
    assert_eq!(
        told("2025-06-16 03:10:00"),
        1,
        "within ten minutes: older than the accepted one"
    );
}

#[test]
fn rule_5_2b_the_newest_item_is_not_in_the_future() {
    let tomorrow = item("2025-06-17 12:00:00", "0", "x");
    let told = [
        k100_items("2025-06-16 02:30:00", &[tomorrow.clone(), b(), a()]),
        k100_items("2025-06-16 03:30:00", &[c(), b(), a()]),
    ];
    assert_eq!(only(&expected(&told)).status, "DELIVERED");
    // Only what is there now counts, on both sides.
    let told = [
        k100_items("2025-06-16 02:30:00", &[b(), a()]),
        k100_items("2025-06-16 03:30:00", &[tomorrow.clone(), a()]),
    ];
    assert_eq!(versions(&expected(&told)), 1, "stale by the newest item");
    let told = [
        k100_items("2025-06-16 02:30:00", &[b(), a()]),
        k100_items("2025-06-16 03:30:00", &[tomorrow]),
    ];
    assert_eq!(versions(&expected(&told)), 2, "no such item");
}

#[test]
fn rule_5_2c_the_last_push_is_not_stale_by_its_newest_item() {
    let told = |last: &str| {
        let scan = item("2025-06-16 03:30:00", "0", "taken back");
        let told = [
            k100_items("2025-06-16 04:00:00", &[scan, b(), a()]),
            word("2025-06-16 04:30:00", last, &[c(), b(), a()]),
        ];
        only(&expected(&told)).status.clone()
    };
    assert_eq!((&*told("shutdown"), &*told("polling")), ("DELIVERED", "IN_TRANSIT"));
}

#[test]
fn rule_5_2d_after_the_end_nothing_old_counts() {
    let ended = || {
        vec![
            k100_items("2025-06-16 02:30:00", &[b(), a()]),
            word("2025-06-16 03:30:00", "shutdown", &[c(), b(), a()]),
        ]
    };
    let after = |push: PushEvent| {
        let mut told = ended();
        told.push(push);
        let tables = expected(&told);
        let shipment = only(&tables);
        format!("{} {} {}", versions(&tables), shipment.tracking_state, shipment.status)
    };
    let stale = "2 ENDED DELIVERED";
    assert_eq!(after(k100_items("2025-06-17 12:00:00", &[b(), a()])), stale, "replayed");
    assert_eq!(after(word("2025-06-17 12:00:00", "polling", &[])), stale);
    assert_eq!(after(word("2025-06-17 12:00:00", "abort", &[])), stale);
    assert_eq!(
        after(correction("2025-06-17 12:00:00")),
        "3 CARRIER_CORRECTED DELIVERED"
    );
    assert_eq!(
        after(word("2025-06-17 12:00:00", "updateall", &[b(), a()])),
        "3 ENDED OUT_FOR_DELIVERY"
    );
    assert_eq!(
        after(word("2025-06-17 12:00:00", "shutdown", &[b(), a()])),
        "3 ENDED OUT_FOR_DELIVERY",
        "a known limit"
    );
    assert_eq!(
        after(word("2025-06-17 12:00:00", "polling", &[c(), b(), a()])),
        "3 ENDED DELIVERED",
        "nothing new, nothing lacking"
    );
    let d = item("2025-06-17 09:00:00", "204", "d");
    assert_eq!(
        after(word("2025-06-17 12:00:00", "polling", &[d, b(), a()])),
        "3 ACTIVE EXCEPTION",
        "something new"
    );
}

#[test]
fn rule_5_2d_something_new_lifts_it() {
    let d = || item("2025-06-17 09:00:00", "204", "d");
    let told = |news: &str| {
        let told = [
            word("2025-06-16 03:30:00", "shutdown", &[c(), b(), a()]),
            word("2025-06-17 10:00:00", news, &[d(), c(), b(), a()]),
            k100_items("2025-06-18 12:00:00", &[b(), a()]),
        ];
        versions(&expected(&told))
    };
    assert_eq!(told("polling"), 3, "a rewrite of history, as before the end");
    assert_eq!(told("updateall"), 3);
    assert_eq!(told("shutdown"), 2, "it ended again");
}

#[test]
fn rule_5_2d_the_end_counts_where_no_event_is_known() {
    let told = [
        word("2025-06-16 03:30:00", "shutdown", &[]),
        word("2025-06-17 03:30:00", "abort", &[]),
    ];
    assert_eq!(state(&told), "ENDED");
}

#[test]
fn rule_5_2e_what_has_come_to_pass_is_told_again() {
    let push = |time: &str| k100_items(time, &[c(), b(), a()]);
    let told = [push("2025-06-16 02:30:00"), push("2025-06-16 02:40:00")];
    assert_eq!(versions(&expected(&told)), 1, "still to come");
    assert_eq!(only(&expected(&told)).delivered_at, None, "rule 4.6");
    let told = [
        push("2025-06-16 02:30:00"),
        push("2025-06-16 02:50:00"),
        push("2025-06-16 03:30:00"),
    ];
    let tables = expected(&told);
    assert_eq!(versions(&tables), 2);
    assert_eq!(only(&tables).delivered_at, Some(china("2025-06-16 03:00:00")));
}

#[test]
fn rule_5_2f_a_former_life_is_stale() {
    let x = || item("2025-08-01 01:00:00", "1", "x");
    for (last, why) in [
        (k100_items("2025-09-01 00:00:00", &[c(), b(), a()]), "polling"),
        (word("2025-09-01 00:00:00", "updateall", &[c(), b(), a()]), "updateall"),
        (word("2025-09-01 00:00:00", "shutdown", &[c(), b(), a()]), "shutdown"),
    ] {
        let told = [
            k100_items("2025-06-16 04:00:00", &[c(), b(), a()]),
            k100_items("2025-08-01 02:00:00", &[x()]),
            last,
        ];
        assert_eq!(versions(&expected(&told)), 2, "{why}");
    }
    let with_a_shared_event = [
        k100_items("2025-08-01 02:00:00", &[x()]),
        k100_items("2025-09-01 00:00:00", &[x(), b(), a()]),
    ];
    assert_eq!(versions(&expected(&with_a_shared_event)), 2);
}

#[test]
fn rule_5_2_a_duplicate_comes_before_everything_but_standing() {
    // The accepted push, sent again: neither stale after the end nor new.
    let told = [
        word("2025-06-16 03:30:00", "shutdown", &[c(), b(), a()]),
        word("2025-06-26 03:30:00", "shutdown", &[c(), b(), a()]),
    ];
    assert_eq!(versions(&expected(&told)), 1);
}

// ---- rule 5.3 -------------------------------------------------------------------------------------------------------

#[test]
fn rule_5_3_an_unsigned_push_changes_nothing_of_a_verified_shipment() {
    let told = [
        k100_items("2025-06-16 02:30:00", &[b(), a()]),
        unsigned(k100_items("2025-06-16 03:30:00", &[c(), b(), a()])),
        unsigned(correction("2025-06-16 04:30:00")),
    ];
    let tables = expected(&told);
    assert_eq!(versions(&tables), 1);
    assert_eq!(
        (&*only(&tables).status, &*only(&tables).tracking_state),
        ("OUT_FOR_DELIVERY", "ACTIVE")
    );
    assert_eq!(tables.push.len(), 3, "the push log shows it");
}

#[test]
fn rule_5_3_whoever_signs_takes_over() {
    let told = [
        unsigned(k100_items("2025-06-16 01:30:00", &[a()])),
        unsigned(k100_items("2025-06-16 02:30:00", &[b(), a()])),
        k100_items("2025-06-16 03:30:00", &[c(), b(), a()]),
        unsigned(word("2025-06-16 04:30:00", "shutdown", &[c(), b(), a()])),
    ];
    assert_eq!((versions(&expected(&told)), &*state(&told)), (3, "ACTIVE"));
}

#[test]
fn rule_5_9_an_answer_needs_no_signature_and_rule_5_10_it_gives_and_takes_none() {
    for signature in [Signature::Verified, Signature::Unsigned] {
        let answer = |received_at: &str, items: &[Value]| {
            let answer = json!({"nu": NUMBER, "com": "yuantong", "data": items});
            PushEvent {
                origin: Origin::Query,
                signature,
                ..push_event(Vendor::Kuaidi100, received_at, "yuantong", &answer)
            }
        };
        let last = || unsigned(k100_items("2025-06-17 04:30:00", &[c(), b(), a()]));
        let signed = [
            k100_items("2025-06-16 01:30:00", &[a()]),
            answer("2025-06-16 02:30:00", &[b(), a()]),
            last(),
        ];
        assert_eq!(versions(&expected(&signed)), 2, "outranked is only the last one");
        let open = [
            unsigned(k100_items("2025-06-16 01:30:00", &[a()])),
            answer("2025-06-16 02:30:00", &[b(), a()]),
            last(),
        ];
        assert_eq!(versions(&expected(&open)), 3, "no push was signed");
        let unknown = [answer("2025-06-16 02:30:00", &[b(), a()]), last()];
        assert_eq!(versions(&expected(&unknown)), 2, "nor where there was none");
    }
}

#[test]
fn rule_5_3_a_correction_ends_with_a_later_event() {
    let after = |word_after: &str, time: &str| {
        let told = [
            k100_items("2025-06-16 01:30:00", &[a()]),
            correction("2025-06-16 02:00:00"),
            word("2025-06-16 05:00:00", word_after, &[item(time, "0", "x"), a()]),
        ];
        let tables = expected(&told);
        let yto = tables.shipment.iter().find(|row| row.carrier == "yto").unwrap();
        yto.tracking_state.clone()
    };
    assert_eq!(
        after("polling", "2025-06-16 02:00:00"),
        "CARRIER_CORRECTED",
        "not later"
    );
    assert_eq!(after("polling", "2025-06-16 02:00:01"), "ACTIVE");
    assert_eq!(after("updateall", "2025-06-16 02:00:01"), "ACTIVE", "UNCHANGED");
    assert_eq!(after("shutdown", "2025-06-16 02:00:01"), "ENDED");
}

#[test]
fn rule_5_3_a_correction_comes_again() {
    let told = [
        k100_items("2025-06-16 01:30:00", &[a()]),
        correction("2025-06-16 02:00:00"),
        correction("2025-06-16 02:10:00"),
        k100_items("2025-06-16 03:00:00", &[item("2025-06-16 02:30:00", "0", "x"), a()]),
        correction("2025-06-16 03:10:00"),
    ];
    let tables = expected(&told);
    assert_eq!(versions(&tables), 4, "a duplicate only while it holds");
    assert_eq!(only(&tables).tracking_state, "CARRIER_CORRECTED");
}
