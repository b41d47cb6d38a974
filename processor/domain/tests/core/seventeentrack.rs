//! 17TRACK: how its pushes are read, and every row of its code table, written out once more by hand.

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Segment, TrackingState, Vendor};
use courierflow_vendors::protocol;
use courierflow_vendors::reading::{NoOp, push_facts};
use serde_json::{Value, json};

use crate::pushes::*;

/// A push of carrier 3011 with these providers.
fn update(providers: &[Value]) -> Value {
    json!({"event": "TRACKING_UPDATED", "data": {"number": "yt1", "carrier": 3011, "param": null, "tag": null, "track_info": {
        "shipping_info": null, "latest_status": null, "time_metrics": null, "milestone": {"any": "thing"},
        "tracking": {"providers_hash": -1, "providers": providers},
    }}})
}

fn stop() -> Value {
    json!({"event": "TRACKING_STOPPED", "data": {"number": "yt1", "carrier": 3011, "param": null, "tag": null}})
}

/// Events newest first, as the vendor sends them.
fn provider(key: u32, events: &[Value]) -> Value {
    json!({"provider": {"key": key}, "latest_sync_time": null, "events": events})
}

fn scan(time_iso: &str, sub_status: &str, text: &str) -> Value {
    json!({"time_iso": time_iso, "time_utc": null, "time_raw": null, "description": text, "location": null,
        "stage": null, "sub_status": sub_status, "address": null})
}

fn received(payload: &Value, utc: &str) -> PushEvent {
    PushEvent {
        received_at: micros(utc),
        ..event(Vendor::SeventeenTrack, payload.to_string())
    }
}

fn pushed(payload: &Value) -> PushEvent {
    received(payload, RECEIVED)
}

const AT: &str = "2025-06-01T08:00:00+08:00";

const OTHERS: [(&str, &str); 25] = [
    ("NotFound_Other", "UNKNOWN/NO_TRACE"),
    ("NotFound_InvalidCode", "UNKNOWN/NO_TRACE"),
    ("InfoReceived", "INFO_RECEIVED/ORDER_CREATED"),
    ("InTransit_PickedUp", "PICKED_UP/PICKED_UP"),
    ("InTransit_Other", "IN_TRANSIT/IN_TRANSIT"),
    ("InTransit_Departure", "IN_TRANSIT/LEFT_ORIGIN_COUNTRY"),
    ("InTransit_Arrival", "IN_TRANSIT/ARRIVED_DEST_COUNTRY"),
    ("InTransit_TransportArrived", "IN_TRANSIT/LINEHAUL"),
    ("InTransit_TransportDeparted", "IN_TRANSIT/LINEHAUL"),
    ("InTransit_CustomsProcessing", "CUSTOMS/IN_PROGRESS"),
    ("InTransit_CustomsReleased", "CUSTOMS/CLEARED"),
    ("AvailableForPickup_Other", "AVAILABLE_FOR_PICKUP/LOCKER_OR_STATION"),
    ("OutForDelivery_Other", "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY"),
    ("Delivered_Other", "DELIVERED/UNSPECIFIED"),
    ("Exception_Returning", "RETURNING/RETURNING"),
    ("Exception_Returned", "RETURNED/RETURN_SIGNED"),
    ("Exception_Cancel", "CANCELLED/WAYBILL_VOIDED"),
    ("PickedUp", "PICKED_UP/PICKED_UP"),
    ("Departure", "IN_TRANSIT/LEFT_ORIGIN_COUNTRY"),
    ("Arrival", "IN_TRANSIT/ARRIVED_DEST_COUNTRY"),
    ("AvailableForPickup", "AVAILABLE_FOR_PICKUP/LOCKER_OR_STATION"),
    ("OutForDelivery", "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY"),
    ("Delivered", "DELIVERED/UNSPECIFIED"),
    ("Returning", "RETURNING/RETURNING"),
    ("Returned", "RETURNED/RETURN_SIGNED"),
];

#[test]
fn every_code_of_17track() {
    const EXCEPTIONS: [(&str, &str, &str); 18] = [
        ("InTransit_CustomsRequiringInformation", "CUSTOMS_EXCEPTION", "customs"),
        ("Expired_Other", "NO_UPDATE", "carrier"),
        ("DeliveryFailure_Other", "DELIVERY_FAILED", "carrier"),
        ("DeliveryFailure_NoBody", "RECIPIENT_UNREACHABLE", "consignee"),
        ("Exception_NoBody", "RECIPIENT_UNREACHABLE", "consignee"),
        ("DeliveryFailure_Security", "SECURITY_OR_FEES", "unknown"),
        ("Exception_Security", "SECURITY_OR_FEES", "unknown"),
        ("DeliveryFailure_Rejected", "REFUSED", "consignee"),
        ("Exception_Rejected", "REFUSED", "consignee"),
        ("DeliveryFailure_InvalidAddress", "BAD_ADDRESS", "shipper"),
        ("Exception_Other", "UNSPECIFIED", "unknown"),
        ("Exception_Damage", "DAMAGED", "carrier"),
        ("Exception_Damaged", "DAMAGED", "carrier"),
        ("Exception_Delayed", "DELAYED", "carrier"),
        ("Exception_Lost", "LOST", "carrier"),
        ("Exception_Destroyed", "DESTROYED", "unknown"),
        ("Exception_Stolen", "UNSPECIFIED", "unknown"),
        ("DeliveryFailure_Weather", "DELIVERY_FAILED", "carrier"),
    ];
    for (code, sub_status, party) in EXCEPTIONS {
        let derived = derived(&pushed(&update(&[provider(3011, &[scan(AT, code, "x")])])));
        let [transition] = derived.transitions.as_slice() else {
            panic!("{code}")
        };
        assert_eq!(transition.to_status.as_str(), "EXCEPTION", "{code}");
        assert_eq!(transition.to_sub_status.as_deref(), Some(sub_status), "{code}");
        assert_eq!(transition.party.as_deref(), Some(party), "{code}");
        assert_eq!(derived.shipment.exception_codes, [code]);
    }
    for (code, status) in OTHERS {
        let shipment = shipment(&pushed(&update(&[provider(3011, &[scan(AT, code, "x")])])));
        assert_eq!(statuses(&shipment.events), [status], "{code}");
        assert!(!has_flag(&shipment, "unknown_code"), "{code}");
    }
    // Two of the exceptions are no codes of the table.
    let rows = protocol(Vendor::SeventeenTrack).code_tables()[0].rows.len();
    assert_eq!(rows, EXCEPTIONS.len() - 2 + OTHERS.len());
}

#[test]
fn rule_6_3_an_unknown_sub_status_is_one_of_its_main_status_and_flagged() {
    for (code, status) in [
        ("InTransit_Sorting", "IN_TRANSIT/IN_TRANSIT"),
        ("Exception_Stolen", "!EXCEPTION/UNSPECIFIED"),
        ("Delivered_Signed", "DELIVERED/UNSPECIFIED"),
        // Of no main status: the text decides.
        ("Inbound", "DELIVERED/UNSPECIFIED"),
    ] {
        let shipment = shipment(&pushed(&update(&[provider(3011, &[scan(AT, code, "已签收")])])));
        assert_eq!(statuses(&shipment.events), [status], "{code}");
        assert_eq!(shipment.events[0].raw_code.as_deref(), Some(code));
        assert!(has_flag(&shipment, "unknown_code"), "{code}");
    }
}

#[test]
fn the_stage_stands_in_where_there_is_no_sub_status() {
    let staged = |stage: Value, sub_status: Value| {
        let mut scan = scan(AT, "", "x");
        (scan["stage"], scan["sub_status"]) = (stage, sub_status);
        shipment(&pushed(&update(&[provider(3011, &[scan])]))).events.remove(0)
    };
    let event = staged("PickedUp".into(), Value::Null);
    assert_eq!(
        (event.status.as_str(), event.raw_code.as_deref()),
        ("PICKED_UP", Some("PickedUp"))
    );
    let event = staged("Departure".into(), "InTransit_Other".into());
    assert_eq!(event.sub_status.as_deref(), Some("IN_TRANSIT"), "the sub-status wins");
    let event = staged("Arrival".into(), " ".into());
    assert_eq!(event.sub_status.as_deref(), Some("ARRIVED_DEST_COUNTRY"));
    let event = staged(Value::Null, Value::Null);
    assert_eq!((event.status.as_str(), event.raw_code), ("UNKNOWN", None));
}

#[test]
fn the_carrier_of_the_registration_is_the_origin_wherever_it_stands() {
    let other = |text| provider(21051, &[scan("2025-06-02T08:00:00-07:00", "Delivered_Other", text)]);
    let registered = provider(3011, &[scan(AT, "InTransit_PickedUp", "a")]);
    let segments = |providers: &[Value]| -> Vec<_> {
        let events = shipment(&pushed(&update(providers))).events;
        events
            .iter()
            .map(|event| (event.context.clone(), event.segment))
            .collect()
    };
    let (origin, destination) = (Segment::Origin, Segment::Destination);
    let both = [("a".to_owned(), origin), ("b".to_owned(), destination)];
    assert_eq!(segments(&[registered.clone(), other("b")]), both);
    assert_eq!(segments(&[other("b"), registered.clone()]), both);
    // Nobody is registered: the first one is the origin's.
    assert_eq!(
        segments(&[other("b"), provider(7041, &[scan(AT, "InTransit_Other", "c")])]),
        [("c".to_owned(), destination), ("b".to_owned(), origin)]
    );
    assert_eq!(segments(&[other("b")]), [("b".to_owned(), origin)]);
    // Three: two of them are the destination's.
    assert_eq!(
        segments(&[
            registered,
            other("b"),
            provider(7041, &[scan("2025-06-03T08:00:00+02:00", "Delivered_Other", "c")])
        ]),
        [
            ("a".to_owned(), origin),
            ("b".to_owned(), destination),
            ("c".to_owned(), destination)
        ]
    );
}

#[test]
fn the_direction_is_found_for_each_list() {
    let same_second = |first: &str, second: &str| {
        vec![
            scan("2025-06-02T08:00:00Z", "InTransit_Other", "later"),
            scan("2025-06-01T08:00:00Z", "InTransit_Other", first),
            scan("2025-06-01T08:00:00Z", "InTransit_Other", second),
        ]
    };
    let newest_first = same_second("b", "a");
    let oldest_first: Vec<_> = newest_first.iter().rev().cloned().collect();
    for events in [newest_first, oldest_first] {
        let events = shipment(&pushed(&update(&[provider(3011, &events)]))).events;
        let texts: Vec<_> = events.iter().map(|event| event.context.as_str()).collect();
        assert_eq!(texts, ["a", "b", "later"]);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of times")]
fn times_in_the_order_in_which_they_are_believed() {
    // iso, utc, date, time, key → local time, UTC, flags
    type Case<'a> = ([Option<&'a str>; 4], u32, Option<(&'a str, &'a str)>, &'a [&'a str]);
    let cases: [Case<'_>; 14] = [
        (
            [
                Some("2025-06-01T14:02:00-07:00"),
                Some("2025-06-01T20:32:00Z"),
                None,
                None,
            ],
            1,
            Some(("2025-06-01 14:02:00", "2025-06-01T21:02:00Z")),
            &[],
        ),
        (
            [Some(" 2025-06-01T14:02:00.123+05:30 "), None, None, None],
            1,
            Some(("2025-06-01 14:02:00", "2025-06-01T08:32:00Z")),
            &[],
        ),
        (
            [Some("2025-06-01T14:02:00Z"), None, None, None],
            1,
            Some(("2025-06-01 14:02:00", "2025-06-01T14:02:00Z")),
            &[],
        ),
        (
            [None, Some("2025-06-01T21:02:00Z"), Some("2025-06-01"), Some("14:02")],
            1,
            Some(("2025-06-01 14:02:00", "2025-06-01T21:02:00Z")),
            &[],
        ),
        (
            [None, Some("2025-06-01T21:02:00Z"), None, None],
            1,
            Some(("2025-06-01 21:02:00", "2025-06-01T21:02:00Z")),
            &[],
        ),
        (
            [
                Some("2025-06-01T14:02:00"),
                Some("2025-06-01T21:02:00Z"),
                Some("2025-06-01"),
                None,
            ],
            1,
            Some(("2025-06-01 21:02:00", "2025-06-01T21:02:00Z")),
            &[],
        ),
        // DHL Paket is in Berlin, 7041 in the mapping file.
        (
            [None, None, Some("2025-06-01"), Some("14:02:00")],
            7041,
            Some(("2025-06-01 14:02:00", "2025-06-01T12:02:00Z")),
            &[],
        ),
        (
            [None, None, Some("2025-01-01"), Some("14:02:00")],
            7041,
            Some(("2025-01-01 14:02:00", "2025-01-01T13:02:00Z")),
            &[],
        ),
        (
            [None, None, Some("2025-06-01"), None],
            7041,
            Some(("2025-06-01 00:00:00", "2025-05-31T22:00:00Z")),
            &[],
        ),
        // USPS has no zone of its own.
        (
            [None, None, Some("2025-06-01"), Some("14:02:00")],
            21051,
            Some(("2025-06-01 14:02:00", "2025-06-01T14:02:00Z")),
            &["tz_assumed"],
        ),
        ([None, None, None, Some("14:02:00")], 7041, None, &["bad_time"]),
        ([None, None, None, None], 7041, None, &["bad_time"]),
        (
            [Some("0001-01-01T00:00:00Z"), None, None, None],
            7041,
            None,
            &["bad_time"],
        ),
        (
            [Some("yesterday"), Some("soon"), Some("2025-06-31"), Some("14:02:00")],
            7041,
            None,
            &["bad_time"],
        ),
    ];
    for ([iso, utc, date, time], key, expected, flags) in cases {
        let mut told = scan("", "Delivered_Other", "x");
        told["time_iso"] = iso.into();
        told["time_utc"] = utc.into();
        told["time_raw"] = json!({"date": date, "time": time, "timezone": null});
        let events = [scan("2025-06-02T00:00:00Z", "InTransit_Other", "y"), told];
        let shipment = shipment(&pushed(&update(&[provider(key, &events)])));
        let found = shipment.events.iter().find(|event| event.context == "x");
        let found = found.map(|event| (event.local_time.clone(), event.occurred_at));
        let expected = expected.map(|(local, utc)| (local.to_owned(), millis(utc)));
        assert_eq!(found, expected, "{iso:?} {utc:?} {date:?} {time:?}");
        let of_time: Vec<_> = shipment
            .flags
            .iter()
            .filter(|flag| flag.ends_with("_time") || flag.starts_with("tz_"))
            .collect();
        assert_eq!(
            of_time,
            flags.iter().collect::<Vec<_>>(),
            "{iso:?} {utc:?} {date:?} {time:?}"
        );
    }
}

#[test]
fn the_latest_question_to_a_carrier_is_the_time_of_the_push() {
    let asked = |first: Value, second: Value, text: &str| {
        let mut providers = [
            provider(3011, &[scan(AT, "InTransit_Other", text)]),
            provider(21051, &[]),
        ];
        (providers[0]["latest_sync_time"], providers[1]["latest_sync_time"]) = (first, second);
        update(&providers)
    };
    let push_time = |first: Value, second: Value| shipment(&pushed(&asked(first, second, "x"))).push_time;
    let later = Some(millis("2025-06-02T03:00:00Z"));
    assert_eq!(
        push_time("2025-06-02T02:00:00Z".into(), "2025-06-02T03:00:00Z".into()),
        later
    );
    assert_eq!(
        push_time("2025-06-02T11:00:00+08:00".into(), "2025-06-02T02:00:00Z".into()),
        later
    );
    assert_eq!(push_time("2025-06-02T03:00:00Z".into(), Value::Null), later);
    assert_eq!(push_time("9999-06-02T03:00:00Z".into(), "never".into()), None);

    let mut stream = Stream::default();
    stream.accept(&pushed(&asked("2025-06-02T03:00:00Z".into(), Value::Null, "new")));
    // A repetition by the vendor: it asked again and heard the same.
    let repeated = asked("2025-06-02T09:00:00Z".into(), Value::Null, "new");
    assert_eq!(
        stream.push(&received(&repeated, "2025-06-30T00:10:00Z")),
        Step::Duplicate
    );
    let late = asked("2025-06-02T02:59:59Z".into(), Value::Null, "old");
    assert_eq!(stream.push(&received(&late, "2025-06-30T01:00:00Z")), Step::Stale);
}

#[test]
fn what_makes_a_push_another_push() {
    let base = update(&[provider(3011, &[scan(AT, "InTransit_Other", "x")])]);
    let event = "/data/track_info/tracking/providers/0/events/0";
    let cases = [
        (
            format!("{event}/description_translation"),
            json!({"lang": "en", "description": "y"}),
            false,
        ),
        ("/data/track_info/tracking/providers_hash".to_owned(), json!(5), false),
        (
            "/data/track_info/tracking/providers/0/events_hash".to_owned(),
            json!(5),
            false,
        ),
        (
            "/data/track_info/tracking/providers/0/provider_tips".to_owned(),
            json!("tip"),
            false,
        ),
        ("/data/track_info/milestone".to_owned(), json!([]), false),
        (
            "/data/track_info/latest_event".to_owned(),
            json!({"description": "y"}),
            false,
        ),
        ("/data/tag".to_owned(), json!("y"), false),
        (
            "/data/track_info/time_metrics".to_owned(),
            json!({"days_of_transit": 5}),
            false,
        ),
        (
            "/data/track_info/time_metrics".to_owned(),
            json!({"estimated_delivery_date": {"to": "2025-07-01"}}),
            true,
        ),
        (
            "/data/track_info/latest_status".to_owned(),
            json!({"sub_status": "Delivered_Other"}),
            true,
        ),
        (
            "/data/track_info/shipping_info".to_owned(),
            json!({"recipient_address": {"country": "US"}}),
            true,
        ),
        (
            "/data/track_info/shipping_info".to_owned(),
            json!({"recipient_address": {"city": "Berlin"}}),
            false,
        ),
        (format!("{event}/description"), json!("y"), true),
        (format!("{event}/location"), json!("y"), true),
        (format!("{event}/stage"), json!("PickedUp"), true),
        (format!("{event}/time_utc"), json!("2025-06-01T00:30:00Z"), true),
    ];
    for (path, value, is_another) in cases {
        let mut changed = base.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[key] = value.clone();
        let mut stream = Stream::default();
        stream.accept(&pushed(&base));
        let step = stream.push(&received(&changed, "2025-06-30T00:10:00Z"));
        assert_eq!(step != Step::Duplicate, is_another, "{path} {value}");
    }
}

#[test]
fn the_estimate() {
    let edd = |key: u32, estimate: Value| {
        let mut push = update(&[provider(key, &[scan(AT, "InTransit_Other", "x")])]);
        push["data"]["track_info"]["time_metrics"] = json!({"estimated_delivery_date": estimate});
        shipment(&pushed(&push)).edd_last
    };
    let (from, to) = ("2025-07-01T08:00:00-04:00", "2025-07-03T20:00:00-04:00");
    for (key, estimate, utc) in [
        (
            3011,
            json!({"source": "Official", "from": from, "to": to}),
            Some("2025-07-04T00:00:00Z"),
        ),
        (
            3011,
            json!({"source": null, "from": from, "to": null}),
            Some("2025-07-01T12:00:00Z"),
        ),
        (
            3011,
            json!({"source": null, "from": from, "to": "soon"}),
            Some("2025-07-01T12:00:00Z"),
        ),
        (7041, json!({"to": "2025-07-03"}), Some("2025-07-03T21:59:59Z")),
        (21051, json!({"to": "2025-07-03"}), Some("2025-07-03T23:59:59Z")),
        (3011, json!({"source": "17TRACK", "to": to}), None),
        (3011, json!({"from": null, "to": null}), None),
        (3011, json!(null), None),
    ] {
        assert_eq!(edd(key, estimate.clone()), utc.map(millis), "{estimate}");
    }
}

#[test]
fn countries_and_places() {
    let place = |location: Value, address: Value| {
        let mut told = scan(AT, "InTransit_Other", "x");
        (told["location"], told["address"]) = (location, address);
        shipment(&pushed(&update(&[provider(3011, &[told])])))
            .events
            .remove(0)
            .location
    };
    let address = json!({"country": "US", "state": "CA", "city": "LOS ANGELES", "street": "1 Main St"});
    assert_eq!(
        place(json!(" "), address.clone()).as_deref(),
        Some("LOS ANGELES, CA, US")
    );
    assert_eq!(place(json!("SHANGHAI"), address).as_deref(), Some("SHANGHAI"));
    let state = json!({"country": null, "state": "CA", "city": ""});
    assert_eq!(place(json!(null), state).as_deref(), Some("CA"));
    assert_eq!(
        place(json!(null), json!({"country": "US"})),
        None,
        "a country alone is no place"
    );

    let mut push = update(&[provider(3011, &[scan(AT, "InTransit_Other", "x")])]);
    let track_info = &mut push["data"]["track_info"];
    track_info["shipping_info"] = json!({
        "shipper_address": {"country": "cn", "city": "Shenzhen"}, "recipient_address": {"country": "Germany"},
    });
    let shipment = shipment(&pushed(&push));
    assert_eq!((shipment.origin.as_deref(), shipment.dest), (Some("CN"), None));
    assert_eq!((shipment.origin_code, shipment.dest_code), (None, None));
    assert!(shipment.flags.iter().all(|flag| flag != "lane_inferred"));
}

#[test]
fn the_carrier() {
    let carrier = |carrier: Value| {
        let mut push = update(&[]);
        push["data"]["carrier"] = carrier;
        shipment(&pushed(&push)).carrier
    };
    assert_eq!(carrier(3011.into()), "chinapost");
    assert_eq!(carrier(" 7041 ".into()), "dhlpaket");
    assert_eq!(carrier(999_999.into()), "999999");
    for none in [json!(0), json!("0"), json!(null), json!([])] {
        assert_eq!(carrier(none), "unknown");
    }
}

#[test]
fn rule_8_3_the_verdict_counts_only_where_the_newest_event_says_nothing() {
    let mut push = update(&[provider(3011, &[scan(AT, "", "x")])]);
    push["data"]["track_info"]["latest_status"] = json!({"status": "Expired", "sub_status": "Expired_Other"});
    let derived_ = derived(&pushed(&push));
    assert_eq!(
        derived_.shipment.status.as_str(),
        "UNKNOWN",
        "a clock of the vendor is no event"
    );
    assert!(derived_.transitions.is_empty() && derived_.shipment.exception_codes.is_empty());
    push["data"]["track_info"]["latest_status"] = json!({"status": "Delivered", "sub_status": "Delivered_Other"});
    assert_eq!(
        parcel_status(&shipment(&pushed(&push))),
        "DELIVERED/UNSPECIFIED/Delivered_Other"
    );
    push["data"]["track_info"]["tracking"]["providers"][0]["events"][0]["sub_status"] = "InTransit_Other".into();
    assert_eq!(
        parcel_status(&shipment(&pushed(&push))),
        "IN_TRANSIT/IN_TRANSIT/InTransit_Other"
    );
}

#[test]
fn rule_11_1_why_the_vendor_stopped_is_told_by_the_parcel() {
    let stopped_after = |codes: &[&str]| {
        let mut stream = Stream::default();
        let mut before = None;
        if !codes.is_empty() {
            let events: Vec<_> = (1..)
                .zip(codes)
                .map(|(day, code)| scan(&format!("2025-06-0{day}T08:00:00+08:00"), code, "x"))
                .collect();
            before = Some(stream.accept(&pushed(&update(&[provider(3011, &events)]))).shipment);
        }
        let derived = stream.accept(&received(&stop(), "2025-07-30T00:00:00Z"));
        assert!(derived.transitions.is_empty());
        if let Some(before) = before {
            assert_eq!(before.tracking_state, TrackingState::Active);
            assert_eq!(before.status, derived.shipment.status, "never the status");
            assert_eq!(before.events, derived.shipment.events);
        }
        derived.shipment.tracking_state
    };
    assert_eq!(stopped_after(&["Delivered_Other"]), TrackingState::Ended);
    assert_eq!(
        stopped_after(&["InTransit_Other", "Exception_Returned"]),
        TrackingState::Ended
    );
    assert_eq!(stopped_after(&["Exception_Cancel"]), TrackingState::Ended);
    assert_eq!(stopped_after(&["InTransit_Other"]), TrackingState::AbortedStale);
    assert_eq!(stopped_after(&["Exception_Lost"]), TrackingState::AbortedStale);
    assert_eq!(
        stopped_after(&["NotFound_Other"]),
        TrackingState::AbortedStale,
        "a line was told"
    );
    assert_eq!(stopped_after(&[]), TrackingState::AbortedNoRecord);
}

#[test]
fn rule_11_1_a_parcel_that_is_followed_again_is_active_and_may_be_stopped_again() {
    let mut stream = Stream::default();
    let first = update(&[provider(3011, &[scan(AT, "InTransit_Other", "x")])]);
    let again = update(&[provider(
        3011,
        &[
            scan("2025-08-01T08:00:00+08:00", "Delivered_Other", "y"),
            scan(AT, "InTransit_Other", "x"),
        ],
    )]);
    let states: Vec<_> = [
        (&first, "2025-06-30T00:00:00Z"),
        (&stop(), "2025-07-30T00:00:00Z"),
        (&again, "2025-08-01T09:00:00Z"),
        (&stop(), "2025-08-16T09:00:00Z"),
    ]
    .into_iter()
    .map(|(push, at)| stream.accept(&received(push, at)).shipment.tracking_state)
    .collect();
    assert_eq!(
        states,
        [
            TrackingState::Active,
            TrackingState::AbortedStale,
            TrackingState::Active,
            TrackingState::Ended
        ]
    );
}

#[test]
fn nothing_but_the_stop_is_believed_of_a_stop() {
    let mut forged = update(&[provider(3011, &[scan(AT, "Delivered_Other", "x")])]);
    forged["event"] = "TRACKING_STOPPED".into();
    let shipment = shipment(&pushed(&forged));
    assert!(shipment.events.is_empty());
    assert_eq!(shipment.tracking_state, TrackingState::AbortedNoRecord);
}

#[test]
fn unknown_events_are_counted_and_change_nothing() {
    for word in [json!("TRACKING_DELETED"), json!(null), json!(5)] {
        let mut push = update(&[provider(3011, &[scan(AT, "Delivered_Other", "x")])]);
        push["event"] = word;
        assert_eq!(
            Stream::default().push(&pushed(&push)),
            Step::Nothing(NoOp::UnknownEvent)
        );
    }
}

#[test]
fn values_of_a_wrong_type_are_absent() {
    let mut push = update(&[
        json!("x"),
        json!(null),
        provider(3011, &[json!(7), scan(AT, "InTransit_Other", "x")]),
    ]);
    push["data"]["track_info"]["latest_status"] = json!("Delivered");
    push["data"]["track_info"]["shipping_info"] = json!([]);
    push["data"]["track_info"]["time_metrics"] = json!({"estimated_delivery_date": "2025-07-01"});
    let event = &mut push["data"]["track_info"]["tracking"]["providers"][2]["events"][1];
    (event["time_raw"], event["address"]) = (json!("2025-06-01 08:00"), json!("Berlin"));
    assert_eq!(shipment(&pushed(&push)).events.len(), 1);
    for broken in [json!("x"), json!({}), json!({"providers": {}}), json!(null)] {
        let mut push = update(&[]);
        push["data"]["track_info"]["tracking"] = broken;
        assert!(shipment(&pushed(&push)).events.is_empty());
    }
}

#[test]
fn rule_14_4_what_the_push_log_shows() {
    let push = pushed(&update(&[
        provider(3011, &[scan(AT, "InTransit_Other", "x"), json!(7)]),
        provider(21051, &[scan(AT, "InTransit_Other", "x")]),
    ]));
    let facts = push_facts(&push, Carriers::built_in());
    assert_eq!(
        (facts.carrier.as_ref(), facts.tracking_status.as_ref(), facts.items),
        ("chinapost", "TRACKING_UPDATED", 3)
    );
    let stop = pushed(&stop());
    let facts = push_facts(&stop, Carriers::built_in());
    assert_eq!((facts.tracking_status.as_ref(), facts.items), ("TRACKING_STOPPED", 0));
}
