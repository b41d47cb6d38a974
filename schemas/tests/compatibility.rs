//! The Rust types match the schemas, and old and new versions of both read each other's records.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use courierflow_schemas::records::*;
use courierflow_schemas::registry::Registry;
use courierflow_schemas::settings::RegistrySettings;
use courierflow_schemas::wire::{DecodeError, Decoder, Encoder, Record};
use serde_json::{Value as Json, json};

const OWN_ID: u32 = 7;
const OTHER_ID: u32 = 8;
const TEXTS: [&str; 8] = [
    PushEvent::SCHEMA_TEXT,
    Shipment::SCHEMA_TEXT,
    Transition::SCHEMA_TEXT,
    SubscriptionRequest::SCHEMA_TEXT,
    Subscription::SCHEMA_TEXT,
    SubscriptionSecret::SCHEMA_TEXT,
    VendorCall::SCHEMA_TEXT,
    Annotation::SCHEMA_TEXT,
];

fn push_event() -> PushEvent {
    PushEvent {
        push_id: PushId([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255]),
        part: 3,
        parts: 10,
        vendor: Vendor::Kdniao,
        account: "demo".into(),
        received_at: TimestampMicros(1_760_000_000_123_456),
        signature: Signature::Verified,
        vendor_carrier: "YTO".into(),
        tracking_number: "YT0000000000001".into(),
        request_type: Some("101".into()),
        query: "orderId=1".into(),
        content_type: "application/json".into(),
        push_time: Some("2024-06-27 21:07:00".into()),
        business_id: Some("100001".into()),
        payload: "{\"Success\":true,\"文\":\"包裹\"}".into(),
        origin: Origin::Query,
        query_reason: Some("STALLED".into()),
        reference: Some("SO-17".into()),
    }
}

fn shipment() -> Shipment {
    Shipment {
        vendor: Vendor::Kuaidi100,
        account: "demo".into(),
        carrier: "yto".into(),
        tracking_number: "YT1".into(),
        epoch: EpochDay(20_000),
        version: 1_760_000_000_123_456,
        first_received_at: TimestampMicros(1),
        received_at: TimestampMicros(2),
        push_id: PushId([9; 16]),
        push_time: Some(TimestampMillis(3)),
        status: Status::Delivered,
        sub_status: Some("RECIPIENT".into()),
        raw_code: Some("301".into()),
        leg: Leg::Forward,
        tracking_state: TrackingState::Ended,
        origin_code: Some("CN440300000000".into()),
        origin: Some("广东,深圳市".into()),
        dest_code: Some("CN110000000000".into()),
        dest: Some("北京".into()),
        milestones: Milestones {
            picked_up_at: Some(TimestampMillis(4)),
            ..Milestones::default()
        },
        attempts: 2,
        exception_codes: vec!["204".into()],
        exception_reasons: vec!["DELIVERY_FAILED".into()],
        edd_first: Some(TimestampMillis(5)),
        edd_last: Some(TimestampMillis(6)),
        flags: vec!["lane_inferred".into()],
        route_origin_code: Some("a".into()),
        route_origin: Some("b".into()),
        route_dest_code: Some("c".into()),
        route_dest: Some("d".into()),
        events: vec![ShipmentEvent {
            id: i64::MAX,
            segment: Segment::Destination,
            occurred_at: TimestampMillis(7),
            local_time: "2024-06-27 21:07:00".into(),
            status: Status::Exception,
            sub_status: Some("DELIVERY_FAILED".into()),
            leg: Leg::Return,
            raw_code: Some("204".into()),
            is_exception: true,
            return_signed: true,
            future: true,
            area_code: Some("CN440306025000".into()),
            location: Some("深圳".into()),
            context: "派送不成功".into(),
            origin: Origin::Query,
            area: Some("广东,深圳市,龙华区".into()),
        }],
        is_verified: true,
        is_provisional: true,
        retired_epoch: Some(EpochDay(20_240)),
        is_ended: true,
        corrected_at: Some(TimestampMicros(10)),
        recent_pushes: vec![RecentPush {
            content_hash: 8,
            received_at: TimestampMicros(9),
        }],
        last_push_at: Some(TimestampMicros(11)),
        reference: Some("SO-17".into()),
        dest_carrier: Some("usps".into()),
        dest_number: Some("9400".into()),
        corrected_to: Some("sf".into()),
    }
}

fn transition() -> Transition {
    Transition {
        transition_id: 1,
        op: Op::Retracted,
        version: 2,
        vendor: Vendor::Kuaidi100,
        account: "demo".into(),
        carrier: "yto".into(),
        tracking_number: "YT1".into(),
        epoch: EpochDay(-1),
        first_received_at: TimestampMicros(3),
        received_at: TimestampMicros(4),
        from_status: Status::OutForDelivery,
        from_sub_status: Some("OUT_FOR_DELIVERY".into()),
        to_status: Status::Exception,
        to_sub_status: Some("REFUSED".into()),
        raw_code: Some("203".into()),
        leg: Leg::Forward,
        occurred_at: TimestampMillis(5),
        dwell_seconds: Some(6),
        verdict: Verdict::Anomaly,
        is_exception: true,
        party: Some("consignee".into()),
        area_code: Some("CN".into()),
        location: Some("somewhere".into()),
        origin: Origin::Query,
    }
}

fn international() -> International {
    International {
        departure_country: Some("CN".into()),
        departure_carrier: Some("ems".into()),
        destination_country: Some("JP".into()),
        destination_carrier: Some("japanposten".into()),
    }
}

fn subscription_request() -> SubscriptionRequest {
    SubscriptionRequest {
        request_id: "r1".into(),
        requester: "oms".into(),
        action: RequestAction::Cancel,
        requested_at: TimestampMicros(1),
        vendor: Some("kuaidi100".into()),
        account: Some("demo".into()),
        carrier: Some("yto".into()),
        tracking_number: "YT1".into(),
        phone: Some("1234".into()),
        from: Some("广东省深圳市南山区".into()),
        to: Some("北京市朝阳区".into()),
        product: Some(Product::Forecast),
        international: Some(international()),
        reference: Some("order-1".into()),
        not_before: Some(TimestampMillis(2)),
        force: true,
    }
}

fn subscription() -> Subscription {
    Subscription {
        vendor: "kuaidi100".into(),
        account: "demo".into(),
        tracking_number: "YT1".into(),
        carrier: "yto".into(),
        vendor_carrier: "yuantong".into(),
        former_carriers: vec!["yunda".into()],
        version: 1,
        state: SubscriptionState::Calling,
        reason: Some(Reason::NoRecord),
        code: Some("501".into()),
        since: TimestampMicros(2),
        requested_at: TimestampMicros(3),
        requester: "oms".into(),
        request_ids: vec!["r1".into(), "r2".into()],
        reference: Some("order-1".into()),
        api: "kuaidi100_enterprise".into(),
        product: Product::Advanced,
        international: true,
        round: 2,
        attempt: 3,
        call_id: Some(CallId([0xC1; 16])),
        not_before: Some(TimestampMillis(4)),
        calls: vec![MonthOfCalls {
            month: 202_612,
            vendor_carrier: "yuantong".into(),
            accepted: 4,
            last_at: TimestampMillis(5),
        }],
        duplicate: true,
        first_push_at: Some(TimestampMicros(6)),
        ended_word: Some("abort".into()),
        ended_at: Some(TimestampMicros(7)),
        in_doubt: true,
        failed: 8,
        too_early: 9,
        unexplained: 10,
        not_recognised: 11,
        unsent: 12,
    }
}

fn subscription_secret() -> SubscriptionSecret {
    SubscriptionSecret {
        phone: Some("1234".into()),
        from: Some("广东省深圳市".into()),
        to: Some("北京市".into()),
        international: Some(international()),
    }
}

fn vendor_call() -> VendorCall {
    VendorCall {
        call_id: CallId([0xC1; 16]),
        kind: CallKind::Query,
        api: "kuaidi100_enterprise".into(),
        vendor: Vendor::Kuaidi100,
        account: "demo".into(),
        vendor_carrier: "yuantong".into(),
        carrier: "yto".into(),
        tracking_number: "YT1".into(),
        reason: CallReason::FirstPushLate,
        started_at: TimestampMicros(1),
        duration_ms: 70_000,
        http_status: Some(200),
        code: Some("200".into()),
        class: CallClass::NoResult,
        message: Some("ok".into()),
        month: 202_612,
        bytes: 100_000,
        items: Some(12),
        push_id: Some(PushId([9; 16])),
    }
}

fn annotation() -> Annotation {
    Annotation {
        vendor: "kuaidi100".into(),
        account: "demo".into(),
        carrier: "yto".into(),
        tracking_number: "YT1".into(),
        epoch: EpochDay(20_000),
        kind: AnnotationKind::Lost,
        occurred_at: Some(TimestampMillis(1)),
        reason: "the carrier pays".into(),
        annotated_by: "li.wei".into(),
        annotated_at: TimestampMicros(2),
        seen_status: "IN_TRANSIT".into(),
        seen_event_at: Some(TimestampMillis(3)),
    }
}

/// A registry that is not there, with a cache that knows our own schema and `other`.
fn registry_knowing<R: Record>(other: &str) -> (tempfile::TempDir, Registry) {
    let dir = tempfile::tempdir().unwrap();
    let id_cache: PathBuf = dir.path().join("ids.json");
    let cache = json!({
        "ids": { R::subject(): { "id": OWN_ID, "schema": R::SCHEMA_TEXT } },
        "schemas": { OWN_ID.to_string(): R::SCHEMA_TEXT, OTHER_ID.to_string(): other },
    });
    std::fs::write(&id_cache, cache.to_string()).unwrap();
    // Port 9 (discard) is closed on any sane machine: nothing answers.
    let settings = RegistrySettings {
        url: "http://127.0.0.1:9".into(),
        id_cache,
        ..RegistrySettings::default()
    };
    (dir, Registry::new(&settings))
}

fn round_trip<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    let mut bytes = Vec::new();
    Encoder::<R>::new(OWN_ID).encode(record, &mut bytes).unwrap();
    assert_eq!(bytes[..5], [0, 0, 0, 0, 7], "Confluent header");
    let (_dir, registry) = registry_knowing::<R>("{}");
    assert_eq!(Decoder::<R>::new(registry, OWN_ID).decode(&bytes).unwrap(), *record);
}

#[test]
fn every_record_survives_a_round_trip() {
    round_trip(&push_event());
    round_trip(&shipment());
    round_trip(&transition());
    round_trip(&subscription_request());
    round_trip(&subscription());
    round_trip(&subscription_secret());
    round_trip(&vendor_call());
    round_trip(&annotation());
}

/// Read generically, by the schema alone, every field holds something of the record: none is forgotten or swapped.
fn fields_match_schema<R: Record>(record: &R) {
    let datum = GenericDatumWriter::builder(R::schema())
        .human_readable(false)
        .build()
        .unwrap()
        .write_ser_to_vec(record);
    let value = GenericDatumReader::builder(R::schema())
        .build()
        .unwrap()
        .read_value(&mut datum.unwrap().as_slice())
        .unwrap();
    let Value::Record(fields) = value else {
        panic!("not a record")
    };
    let Schema::Record(schema) = R::schema() else {
        panic!("not a record schema")
    };
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let expected: Vec<_> = schema.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, expected);
    for (name, value) in &fields {
        assert!(
            !matches!(value, Value::Union(0, _)),
            "{name} is null although the sample sets every field"
        );
    }
    let json = serde_json::to_value(record).unwrap();
    let mut ours: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut theirs = expected;
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs, "fields of the type and of the schema");
}

#[test]
fn types_match_their_schemas() {
    fields_match_schema(&push_event());
    fields_match_schema(&shipment());
    fields_match_schema(&transition());
    fields_match_schema(&subscription_request());
    fields_match_schema(&subscription());
    fields_match_schema(&subscription_secret());
    fields_match_schema(&vendor_call());
    fields_match_schema(&annotation());
}

#[test]
fn closed_sets_have_the_symbols_of_the_schema_in_order() {
    fn symbols(schema: &str, name: &str) -> Vec<String> {
        fn find(node: &Json, name: &str) -> Option<Vec<String>> {
            if node["name"] == name && node["type"] == "enum" {
                return Some(
                    node["symbols"]
                        .as_array()?
                        .iter()
                        .map(|s| s.as_str().unwrap().to_owned())
                        .collect(),
                );
            }
            match node {
                Json::Object(map) => map.values().find_map(|child| find(child, name)),
                Json::Array(items) => items.iter().find_map(|child| find(child, name)),
                _ => None,
            }
        }
        find(&serde_json::from_str(schema).unwrap(), name).unwrap()
    }
    macro_rules! check {
        ($record:ty, $set:ident) => {
            let ours: Vec<_> = $set::ALL
                .iter()
                .map(|member| member.as_str().to_owned())
                .collect();
            assert_eq!(ours, symbols(<$record>::SCHEMA_TEXT, stringify!($set)));
        };
    }
    check!(PushEvent, Signature);
    check!(Shipment, Status);
    check!(Shipment, Leg);
    check!(Shipment, TrackingState);
    check!(Shipment, Segment);
    check!(Transition, Status);
    check!(Transition, Leg);
    check!(Transition, Op);
    check!(Transition, Verdict);
    check!(PushEvent, Origin);
    check!(Shipment, Origin);
    check!(Transition, Origin);
    check!(SubscriptionRequest, RequestAction);
    check!(SubscriptionRequest, Product);
    check!(Subscription, Product);
    check!(Subscription, SubscriptionState);
    check!(VendorCall, CallKind);
    check!(VendorCall, CallClass);
    check!(Annotation, AnnotationKind);
}

/// What a reader takes a symbol for that only a newer program knows, by the field. A field of a closed set that is not here fails
/// the test below.
const UNKNOWN_IS: [(&str, &str); 15] = [
    ("signature", "UNSIGNED"),
    ("origin", "PUSH"),
    ("status", "UNKNOWN"),
    ("from_status", "UNKNOWN"),
    ("to_status", "UNKNOWN"),
    ("leg", "OTHER"),
    ("tracking_state", "OTHER"),
    ("segment", "ORIGIN"),
    ("op", "OTHER"),
    ("verdict", "OTHER"),
    ("action", "OTHER"),
    ("product", "OTHER"),
    ("state", "OTHER"),
    ("kind", "OTHER"),
    ("class", "UNKNOWN"),
];

/// The schema of a newer program, in which every closed set has the symbol `LATER`.
fn with_later_symbols(text: &str) -> String {
    fn grow(node: &mut Json) {
        if node["type"] == "enum" {
            node["symbols"].as_array_mut().unwrap().push(json!("LATER"));
        }
        match node {
            Json::Object(map) => map.values_mut().for_each(grow),
            Json::Array(items) => items.iter_mut().for_each(grow),
            _ => {}
        }
    }
    let mut schema = serde_json::from_str(text).unwrap();
    grow(&mut schema);
    schema.to_string()
}

/// The value with another symbol in each field of a closed set.
fn with_symbols(value: Value, field: &str, symbol: &dyn Fn(&str) -> String) -> Value {
    let inner = |value| with_symbols(value, field, symbol);
    match value {
        Value::Record(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let value = with_symbols(value, &name, symbol);
                (name, value)
            });
            Value::Record(fields.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(inner).collect()),
        Value::Union(branch, value) => Value::Union(branch, Box::new(inner(*value))),
        // Avro writes the index that the symbol has in the schema, which `resolve` looks up.
        Value::Enum(_, _) => Value::String(symbol(field)),
        other => other,
    }
}

/// Old code reads what newer code writes: a symbol that it does not know is the default of the set.
fn reads_symbols_of_a_newer_program<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    let unknown_is = |field: &str| {
        let row = UNKNOWN_IS.iter().find(|(name, _)| *name == field);
        row.unwrap_or_else(|| panic!("{field} is of a closed set")).1.to_owned()
    };
    let value = apache_avro::to_value(record).unwrap().resolve(R::schema()).unwrap();
    let newer_text = with_later_symbols(R::SCHEMA_TEXT);
    let newer = Schema::parse_str(&newer_text).unwrap();
    let written = with_symbols(value.clone(), "", &|_| "LATER".to_owned());
    assert_ne!(written, value, "the record has a closed set");
    let mut bytes = vec![0, 0, 0, 0, 8];
    let writer = GenericDatumWriter::builder(&newer).build().unwrap();
    bytes.extend(writer.write_value_to_vec(written.resolve(&newer).unwrap()).unwrap());

    let (_dir, registry) = registry_knowing::<R>(&newer_text);
    let read = Decoder::<R>::new(registry, OWN_ID).decode(&bytes).unwrap();
    let expected = with_symbols(value, "", &unknown_is).resolve(R::schema()).unwrap();
    let read = apache_avro::to_value(read).unwrap().resolve(R::schema()).unwrap();
    assert_eq!(read, expected);
}

#[test]
fn every_closed_set_can_grow() {
    reads_symbols_of_a_newer_program(&push_event());
    reads_symbols_of_a_newer_program(&shipment());
    reads_symbols_of_a_newer_program(&transition());
    reads_symbols_of_a_newer_program(&subscription_request());
    reads_symbols_of_a_newer_program(&subscription());
    reads_symbols_of_a_newer_program(&vendor_call());
    reads_symbols_of_a_newer_program(&annotation());
}

/// An open set is a text in Avro; the name of a newer program is read as [`Reason::Other`].
#[test]
fn a_name_that_a_newer_program_adds_to_an_open_set_is_read_as_other() {
    let mut value = serde_json::to_value(subscription()).unwrap();
    value["reason"] = json!("HOLIDAY");
    let read: Subscription = serde_json::from_value(value).unwrap();
    assert_eq!(read.reason, Some(Reason::Other));
}

/// Fields that belong to one program say so at the beginning of their text; all of them have a default, so that they can go.
#[test]
fn internal_fields_are_marked() {
    let internal = |text: &str| -> Vec<String> {
        let schema: Json = serde_json::from_str(text).unwrap();
        let fields = schema["fields"].as_array().unwrap().iter();
        let internal = fields.filter(|field| field["doc"].as_str().unwrap().starts_with("Internal, state of "));
        internal
            .map(|field| {
                let name = field["name"].as_str().unwrap();
                assert!(field.get("default").is_some(), "{name}");
                name.to_owned()
            })
            .collect()
    };
    let of_derive = [
        "route_origin_code",
        "route_origin",
        "route_dest_code",
        "route_dest",
        "is_verified",
        "is_provisional",
        "is_ended",
        "corrected_at",
        "recent_pushes",
    ];
    let of_subscribe = [
        "in_doubt",
        "failed",
        "too_early",
        "unexplained",
        "not_recognised",
        "unsent",
    ];
    assert_eq!(internal(Shipment::SCHEMA_TEXT), of_derive);
    assert_eq!(internal(Subscription::SCHEMA_TEXT), of_subscribe);
    let contracts = include_str!("../../docs/contracts.md");
    for name in of_derive.iter().chain(&of_subscribe) {
        assert!(
            contracts.contains(&format!("`{name}`")),
            "docs/contracts.md says that {name} is internal"
        );
    }
}

/// Every field, at every depth, says what it holds.
#[test]
fn every_field_is_documented() {
    fn check(node: &Json, path: &str) {
        if let Some(fields) = node["fields"].as_array() {
            for field in fields {
                let path = format!("{path}.{}", field["name"].as_str().unwrap());
                assert!(
                    field["doc"].as_str().is_some_and(|doc| doc.len() > 3),
                    "{path} has no doc"
                );
                check(&field["type"], &path);
            }
        }
        match node {
            Json::Array(items) => items.iter().for_each(|item| check(item, path)),
            Json::Object(_) => check_inner(node, path),
            _ => {}
        }
    }
    fn check_inner(node: &Json, path: &str) {
        for inner in ["type", "items"] {
            if node[inner].is_object() || node[inner].is_array() {
                check(&node[inner], path);
            }
        }
    }
    for text in TEXTS {
        check(&serde_json::from_str(text).unwrap(), "");
    }
}

/// New code reads what code from before a field wrote: the field takes the default of the schema.
fn reads_records_written_without_fields<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    let own: Json = serde_json::from_str(R::SCHEMA_TEXT).unwrap();
    let with_default: Vec<_> = own["fields"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|field| field.get("default").is_some())
        .cloned()
        .collect();
    assert!(!with_default.is_empty());
    for missing in with_default {
        let name = missing["name"].as_str().unwrap();
        let mut old = own.clone();
        old["fields"]
            .as_array_mut()
            .unwrap()
            .retain(|field| field["name"] != name);
        let old_text = old.to_string();
        let Ok(old_schema) = Schema::parse_str(&old_text) else {
            continue; // the field defines a type that later fields use: it can never have been missing
        };
        let mut bytes = vec![0, 0, 0, 0, 8];
        let value = apache_avro::to_value(record).unwrap();
        let Value::Record(mut fields) = value else {
            panic!("not a record")
        };
        fields.retain(|(field, _)| field != name);
        let value = Value::Record(fields).resolve(&old_schema).unwrap();
        bytes.extend(
            GenericDatumWriter::builder(&old_schema)
                .build()
                .unwrap()
                .write_value_to_vec(value)
                .unwrap(),
        );

        let (_dir, registry) = registry_knowing::<R>(&old_text);
        let read = Decoder::<R>::new(registry, OWN_ID)
            .decode(&bytes)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut expected = serde_json::to_value(record).unwrap();
        expected[name] = missing["default"].clone();
        assert_eq!(serde_json::to_value(&read).unwrap(), expected, "field {name}");
    }
}

#[test]
fn new_code_reads_old_records() {
    reads_records_written_without_fields(&push_event());
    reads_records_written_without_fields(&shipment());
    reads_records_written_without_fields(&transition());
    reads_records_written_without_fields(&subscription_request());
    reads_records_written_without_fields(&subscription());
    reads_records_written_without_fields(&subscription_secret());
    reads_records_written_without_fields(&vendor_call());
    reads_records_written_without_fields(&annotation());
}

/// Old code reads what newer code writes: a field that it does not know is skipped, wherever it stands.
fn reads_records_written_with_more_fields<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    for position in [0, 4] {
        let mut newer: Json = serde_json::from_str(R::SCHEMA_TEXT).unwrap();
        let extra = json!({"name": "extra", "default": [], "doc": "new", "type": {"type": "array", "items":
            {"type": "record", "name": "Extra", "fields": [{"name": "text", "type": "string", "doc": "x"}]}}});
        newer["fields"].as_array_mut().unwrap().insert(position, extra);
        let newer_text = newer.to_string();
        let newer_schema = Schema::parse_str(&newer_text).unwrap();
        let Value::Record(mut fields) = apache_avro::to_value(record).unwrap() else {
            panic!("not a record")
        };
        let text = Value::Record(vec![("text".into(), Value::String("whatever".into()))]);
        fields.insert(position, ("extra".into(), Value::Array(vec![text])));
        let value = Value::Record(fields).resolve(&newer_schema).unwrap();
        let mut bytes = vec![0, 0, 0, 0, 8];
        bytes.extend(
            GenericDatumWriter::builder(&newer_schema)
                .build()
                .unwrap()
                .write_value_to_vec(value)
                .unwrap(),
        );

        let (_dir, registry) = registry_knowing::<R>(&newer_text);
        assert_eq!(Decoder::<R>::new(registry, OWN_ID).decode(&bytes).unwrap(), *record);
    }
}

#[test]
fn old_code_reads_new_records() {
    reads_records_written_with_more_fields(&push_event());
    reads_records_written_with_more_fields(&shipment());
    reads_records_written_with_more_fields(&transition());
    reads_records_written_with_more_fields(&subscription_request());
    reads_records_written_with_more_fields(&subscription());
    reads_records_written_with_more_fields(&subscription_secret());
    reads_records_written_with_more_fields(&vendor_call());
    reads_records_written_with_more_fields(&annotation());
}

#[test]
fn bad_bytes_are_refused_with_their_reason() {
    let mut good = Vec::new();
    Encoder::<PushEvent>::new(OWN_ID)
        .encode(&push_event(), &mut good)
        .unwrap();
    let (_dir, registry) = registry_knowing::<PushEvent>("this is no schema");
    let mut decoder = Decoder::<PushEvent>::new(registry, OWN_ID);

    assert!(matches!(decoder.decode(&[]), Err(DecodeError::NotWireFormat(_))));
    assert!(matches!(decoder.decode(&[0, 0, 0]), Err(DecodeError::NotWireFormat(_))));
    assert!(matches!(
        decoder.decode(&[1, 0, 0, 0, 7, 0]),
        Err(DecodeError::NotWireFormat(_))
    ));
    for cut in 5..good.len() {
        assert!(
            matches!(
                decoder.decode(&good[..cut]),
                Err(DecodeError::Malformed { id: OWN_ID, .. })
            ),
            "cut at {cut}"
        );
    }
    let longer = [good.as_slice(), &[0]].concat();
    assert!(matches!(decoder.decode(&longer), Err(DecodeError::Malformed { .. })));
    assert!(matches!(
        decoder.decode(&[0, 0, 0, 0, 8, 0]),
        Err(DecodeError::UnknownSchema(8))
    ));
    let away = decoder.decode(&[0, 0, 0, 0, 99, 0]).unwrap_err();
    assert!(
        away.is_transient(),
        "an unreachable registry says nothing about the record: {away}"
    );
}

#[test]
fn ids_on_disk_replace_an_absent_registry() {
    let (_dir, registry) = registry_knowing::<PushEvent>("{}");
    let error = registry.schema_ids().unwrap_err().to_string();
    assert!(
        error.contains("127.0.0.1:9"),
        "only one subject is on disk, so the error names the registry: {error}"
    );
}
