//! Same, stale, newer (rule 5.2), each with the case that led to it.

use courierflow_schemas::records::{Status, TrackingState};
use serde_json::Value;

use crate::pushes::*;

fn shutdown(lines: &[Value]) -> Kuaidi100 {
    kuaidi100(lines)
        .set("status", "shutdown")
        .set("lastResult.state", "3")
        .set("lastResult.ischeck", "1")
}

/// One `PushTime` of next year made a parcel deaf for a year.
#[test]
fn rule_5_2a_a_push_time_of_next_year_counts_as_none() {
    let lines = |count: usize| {
        (0..count)
            .map(|hour| trace(&hour_text(hour), "2", &format!("{hour}")))
            .collect::<Vec<_>>()
    };
    let mut stream = Stream::default();
    let first = stream
        .accept(&kdniao(&lines(2)).pushed("2099-01-01 00:00:00").event())
        .shipment;
    assert_eq!(first.push_time, None);
    let next = kdniao(&lines(3)).pushed("2025-06-30 08:00:00");
    assert_eq!(
        stream.accept(&next.event()).shipment.push_time,
        Some(china("2025-06-30T08:00:00"))
    );
    // Ten minutes are a clock that is ahead.
    let ahead = kdniao(&lines(4)).pushed("2025-06-30 08:10:00");
    assert_eq!(
        stream.accept(&ahead.event()).shipment.push_time,
        Some(china("2025-06-30T08:10:00"))
    );
}

/// The last push of a vendor, with the sign-off, was dropped as stale: an earlier line announced the delivery of the next day.
#[test]
fn rule_5_2b_the_newest_item_is_not_one_of_the_future() {
    let announced = [
        item("2025-06-29 08:00:00", "103", "a"),
        item("2025-06-30 20:00:00", "", "预计送达"),
    ];
    let last = [
        item("2025-06-29 08:00:00", "103", "a"),
        item("2025-06-30 08:20:00", "0", "b"),
    ];
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&announced).received("2025-06-30T00:00:00Z").event());
    let accepted = stream.accept(&kuaidi100(&last).received("2025-06-30T00:30:00Z").event());
    assert_eq!(accepted.counts.retracted_events, 1);
    // Once its time has come it is as good as any.
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&announced).received("2025-06-30T10:00:00Z").event());
    assert_eq!(
        stream.push(&kuaidi100(&last).received("2025-06-30T12:00:00Z").event()),
        Step::Stale
    );
    // A push of nothing but the future is not stale by its items.
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1", "0"])).event());
    let future = [
        item("2025-06-01 08:00:00", "1", "第0条"),
        item("2026-06-01 08:00:00", "", "c"),
    ];
    assert_eq!(
        stream.push(&kuaidi100(&future).event()),
        Step::Stale,
        "it has an old one too"
    );
    let future = [item("2026-06-01 08:00:00", "", "c")];
    assert!(matches!(stream.push(&kuaidi100(&future).event()), Step::Accepted(_)));
}

#[test]
fn rule_5_2b_a_receiver_whose_clock_went_back_sees_the_same() {
    let mut stream = Stream::default();
    let lines = [
        item("2025-06-30 08:00:00", "103", "a"),
        item("2025-06-30 09:05:00", "0", "b"),
    ];
    stream.accept(&kuaidi100(&lines).received("2025-06-30T01:00:00Z").event());
    // At 08:50 in China the second line is a quarter of an hour ahead: the newest known is the first.
    let next = [item("2025-06-30 08:30:00", "0", "c"), lines[0].clone()];
    let step = stream.push(&kuaidi100(&next).received("2025-06-30T00:50:00Z").event());
    assert!(matches!(step, Step::Accepted(_)));
}

/// A scan was taken back in the very push that told the end: acknowledged, dropped, never delivered.
#[test]
fn rule_5_2c_the_end_is_never_stale_by_its_newest_item() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["103", "5", "3", "0"])).event());
    let shipment = stream.accept(&shutdown(&codes(&["103", "5", "301"])).event()).shipment;
    assert_eq!(
        (shipment.status, shipment.tracking_state),
        (Status::Delivered, TrackingState::Ended)
    );
    assert!(shipment.milestones.delivered_at.is_some());
}

/// A captured push, sent again seven hours later, took a delivery back.
#[test]
fn rule_5_2d_after_the_end_nothing_that_says_less_is_accepted() {
    let ended = || {
        let mut stream = Stream::default();
        stream.accept(&kuaidi100(&codes(&["103"])).event());
        stream.accept(&shutdown(&codes(&["103", "5", "301"])).event());
        stream
    };
    for (what, push) in [
        ("captured", kuaidi100(&codes(&["103", "5"]))),
        (
            "abort with fewer lines",
            kuaidi100(&codes(&["103"])).set("status", "abort"),
        ),
        ("nothing", kuaidi100(&[])),
        (
            "abort",
            kuaidi100(&[]).set("status", "abort").set("message", "60天无变化"),
        ),
    ] {
        let late = push.received("2025-08-30T07:00:00Z");
        assert_eq!(ended().push(&late.event()), Step::Stale, "{what}");
    }
    for (what, push) in [
        ("updateall", kuaidi100(&codes(&["103", "5"])).set("status", "updateall")),
        ("ended", shutdown(&codes(&["103", "5"]))),
        ("ended without items", kuaidi100(&[]).set("status", "shutdown")),
        ("a new line", kuaidi100(&[item("2025-06-02 08:00:00", "0", "new")])),
    ] {
        let late = push.received("2025-07-01T07:00:00Z");
        assert!(matches!(ended().push(&late.event()), Step::Accepted(_)), "{what}");
    }
    // The same events again, with a code more: accepted, and ended still.
    let mut stream = ended();
    let enriched = kuaidi100(&codes(&["103", "5", "303"])).received("2025-07-01T00:00:00Z");
    let shipment = stream.accept(&enriched.event()).shipment;
    assert_eq!(
        (shipment.tracking_state, shipment.sub_status.as_deref()),
        (TrackingState::Ended, Some("PROXY"))
    );
    assert!(shipment.is_ended);
    // A new event and the parcel is followed again; then everything may be told.
    let followed = kuaidi100(&codes(&["103", "5", "303", "204"])).received("2025-07-01T01:00:00Z");
    let shipment = stream.accept(&followed.event()).shipment;
    assert_eq!(
        (shipment.tracking_state, shipment.is_ended),
        (TrackingState::Active, false)
    );
    stream.accept(&kuaidi100(&[]).received("2025-07-02T01:00:00Z").event());
}

#[test]
fn rule_5_2d_also_where_no_event_is_known() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&[]).set("status", "shutdown").event());
    assert_eq!(stream.push(&kuaidi100(&[]).event()), Step::Stale);
    let corrected = kuaidi100(&[]).set("status", "abort").set("comNew", "ems");
    let shipment = stream.accept(&corrected.event()).shipment;
    assert_eq!(shipment.tracking_state, TrackingState::CarrierCorrected);
    assert!(matches!(
        stream.push(&kuaidi100(&codes(&["1"])).event()),
        Step::Accepted(_)
    ));
}

/// A sign-off dated eleven minutes ahead: its repetition, when that time had come, was a duplicate, and nothing else came.
#[test]
fn rule_5_2e_the_same_push_means_more_once_the_time_of_a_line_has_come() {
    let lines = [
        item("2025-06-29 08:00:00", "103", "a"),
        item("2025-06-30 08:11:00", "301", "b"),
    ];
    let push = |received: &str| shutdown(&lines).received(received).event();
    let mut stream = Stream::default();
    let first = stream.accept(&push("2025-06-30T00:00:00Z")).shipment;
    assert_eq!(first.milestones.delivered_at, None);
    assert_eq!(stream.push(&push("2025-06-30T00:00:59Z")), Step::Duplicate);
    let second = stream.accept(&push("2025-06-30T00:01:00Z")).shipment;
    assert_eq!(second.milestones.delivered_at, Some(china("2025-06-30T08:11:00")));
    assert!(!has_flag(&second, "future_time"));
    assert_eq!(stream.push(&push("2025-07-30T00:00:00Z")), Step::Duplicate);
}

/// A retry for the parcel that had the number before, while the vendor follows the next one.
#[test]
fn rule_5_2f_a_push_of_an_earlier_life_is_stale_at_any_age_and_whatever_its_word() {
    let old = || shutdown(&codes(&["103", "5", "301"]));
    let new = kuaidi100(&[item("2025-08-01 08:00:00", "103", "n")]).received("2025-08-02T00:00:00Z");
    for word in ["shutdown", "updateall", "polling"] {
        let mut stream = Stream::default();
        stream.accept(&old().event());
        assert_eq!(stream.accept(&new.event()).counts.new_epochs, 1);
        let again = old().set("status", word).set("lastResult.state", "301");
        assert_eq!(
            stream.push(&again.received("2025-09-01T00:00:00Z").event()),
            Step::Stale,
            "{word}"
        );
        let shared = kuaidi100(&[
            item("2025-06-01 08:00:00", "103", "第0条"),
            item("2025-08-01 08:00:00", "103", "n"),
        ]);
        assert!(matches!(
            stream.push(&shared.received("2025-09-01T00:00:00Z").event()),
            Step::Accepted(_)
        ));
    }
    let mut stream = Stream::default();
    stream.accept(
        &kdniao(&[trace("2025-08-01 08:00:00", "1", "n")])
            .received("2025-08-02T00:00:00Z")
            .event(),
    );
    let old = kdniao(&[trace("2025-06-01 08:00:00", "1", "o")]).pushed("2025-08-03 00:00:00");
    assert_eq!(stream.push(&old.received("2025-08-03T00:00:00Z").event()), Step::Stale);
}
