//! 17TRACK's samples, signed, through the whole stack: a cross-border parcel, a return, and the end of tracking.

use courierflow_schemas::records::Vendor;
use courierflow_tests::oracle::ShipmentRow;

use super::samples::{blank, changes, first_push, flags, owned, rows, utc};
use crate::harness::post::{self, assert_success};
use crate::harness::{eventually, shared, tables};

const CROSS_BORDER: &str = include_str!("../../../../processor/domain/tests/core/golden/17track-a-cross-border.json");
const RETURN: &str = include_str!("../../../../processor/domain/tests/core/golden/17track-b-return.json");
const STOPPED: &str = include_str!("../../../../processor/domain/tests/core/golden/17track-c-stopped.json");

#[test]
fn the_cross_border_sample_of_17track() {
    let shared = shared();
    let number = "LX000000014CN";
    assert_success(
        Vendor::SeventeenTrack,
        &post::seventeentrack(&shared.ingest.url(), CROSS_BORDER),
    );
    let (row, transitions) = rows(&shared, number, 10);
    let expected = ShipmentRow {
        vendor: "17track".to_owned(),
        carrier: "chinapost".to_owned(),
        epoch: "2026-03-01".to_owned(),
        status: "DELIVERED".to_owned(),
        sub_status: owned("UNSPECIFIED"),
        raw_code: owned("Delivered_Other"),
        origin: owned("CN"),
        dest: owned("US"),
        created_at: utc("2026-03-01 13:10:00"),
        picked_up_at: utc("2026-03-02 01:30:00"),
        out_for_delivery_at: utc("2026-03-12 15:11:00"),
        first_attempt_at: utc("2026-03-12 21:02:00"),
        delivered_at: utc("2026-03-12 21:02:00"),
        last_event_at: utc("2026-03-12 21:02:00"),
        edd_first: utc("2026-03-15 03:00:00"),
        edd_last: utc("2026-03-15 03:00:00"),
        attempts: 1,
        flags: flags(&["cross_border"]),
        ..blank(&row)
    };
    assert_eq!(row, expected);
    let segments: Vec<_> = row.event.iter().map(|event| event.segment.as_str()).collect();
    let (origin, destination) = ("ORIGIN", "DESTINATION");
    assert_eq!(
        segments[..6],
        [destination, origin, origin, origin, origin, destination]
    );
    assert_eq!(
        row.event[9].local_time, "2026-03-12 14:02:00",
        "the carrier's wall clock"
    );
    let statuses: Vec<_> = changes(&transitions)
        .into_iter()
        .map(|(_, status, sub_status, _, dwell, verdict)| (status, sub_status.unwrap_or(""), dwell, verdict))
        .collect();
    assert_eq!(
        statuses,
        [
            ("INFO_RECEIVED", "ORDER_CREATED", None, "EXPECTED"),
            ("PICKED_UP", "PICKED_UP", Some(44_400), "EXPECTED"),
            ("IN_TRANSIT", "IN_TRANSIT", Some(30_900), "EXPECTED"),
            ("CUSTOMS", "CLEARED", Some(58_200), "EXPECTED"),
            ("IN_TRANSIT", "LEFT_ORIGIN_COUNTRY", Some(127_500), "EXPECTED"),
            ("IN_TRANSIT", "ARRIVED_DEST_COUNTRY", Some(271_200), "EXPECTED"),
            ("CUSTOMS", "CLEARED", Some(9_900), "EXPECTED"),
            ("IN_TRANSIT", "IN_TRANSIT", Some(150_300), "EXPECTED"),
            ("OUT_FOR_DELIVERY", "OUT_FOR_DELIVERY", Some(265_260), "EXPECTED"),
            ("DELIVERED", "UNSPECIFIED", Some(21_060), "EXPECTED"),
        ]
    );
    let push = first_push(&shared, number);
    assert_eq!(
        (push.carrier.as_str(), push.tracking_status.as_str(), push.items),
        ("chinapost", "TRACKING_UPDATED", 10)
    );
}

#[test]
fn a_return_that_17track_stops_following() {
    let shared = shared();
    let number = "00340000000000000011";
    assert_success(
        Vendor::SeventeenTrack,
        &post::seventeentrack(&shared.ingest.url(), RETURN),
    );
    let (row, transitions) = rows(&shared, number, 8);
    let expected = ShipmentRow {
        vendor: "17track".to_owned(),
        carrier: "dhlpaket".to_owned(),
        epoch: "2026-04-09".to_owned(),
        status: "RETURNED".to_owned(),
        sub_status: owned("RETURN_SIGNED"),
        raw_code: owned("Exception_Returned"),
        leg: "RETURN".to_owned(),
        origin: owned("DE"),
        dest: owned("DE"),
        created_at: utc("2026-04-09 07:00:00"),
        picked_up_at: utc("2026-04-09 15:22:00"),
        out_for_delivery_at: utc("2026-04-11 05:40:00"),
        first_attempt_at: utc("2026-04-11 09:05:00"),
        available_at: utc("2026-04-11 12:20:00"),
        returning_at: utc("2026-04-20 10:00:00"),
        returned_at: utc("2026-04-22 08:12:00"),
        last_event_at: utc("2026-04-22 08:12:00"),
        attempts: 1,
        flags: flags(&["bad_time", "cross_border"]),
        exception_codes: vec!["DeliveryFailure_NoBody".to_owned()],
        exception_reasons: vec!["RECIPIENT_UNREACHABLE".to_owned()],
        ..blank(&row)
    };
    assert_eq!(row, expected);

    assert_success(
        Vendor::SeventeenTrack,
        &post::seventeentrack(&shared.ingest.url(), STOPPED),
    );
    let stopped = eventually("the stop is there", || {
        let row = tables::shipments_of(&shared.stack, number).pop();
        row.filter(|row| row.tracking_state != "ACTIVE")
            .ok_or_else(|| number.to_owned())
    });
    let expected = ShipmentRow {
        tracking_state: "ENDED".to_owned(),
        version: stopped.received_at,
        received_at: stopped.received_at,
        // A stop is a push, too (rule 5.10).
        last_push_at: Some(stopped.received_at),
        ..row
    };
    assert_eq!(stopped, expected, "the tracking state, and that it was told");
    assert_eq!(rows(&shared, number, 8).1, transitions, "no transition");
}
