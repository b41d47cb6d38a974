//! A push topic full of difficult and invalid records is derived and replayed: both refuse, expire and accept the same.

use std::collections::BTreeMap;

use courierflow_schemas::records::{Origin, PushEvent, PushId, Signature, TimestampMicros, Vendor};
use courierflow_schemas::topics::{DERIVE_DEAD, PUSH, SHIPMENT, TRANSITION};
use courierflow_tests::stack::Stack;
use serde_json::{Value, json};

use crate::harness::{migrated, processor, ready, tables, topics, wait_until_in_tables};
use crate::replay::replay;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// A receipt in 1890, which no `DateTime64` of the tables can represent.
const BEFORE_1900: i64 = -80 * 365 * DAY;

/// A line of a payload: microseconds since 1970, the vendor's code, the text.
type Line = (i64, &'static str, &'static str);

fn local_time(micros: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap();
    let china = jiff::tz::Offset::constant(8).to_datetime(time);
    china.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn payload(number: &str, status: &str, lines: &[Line]) -> Value {
    let data: Vec<_> = lines
        .iter()
        .rev()
        .map(|(at, code, text)| json!({"ftime": local_time(*at), "context": text, "statusCode": code}))
        .collect();
    json!({"status": status, "lastResult": {"nu": number, "com": "yunda", "state": "0", "ischeck": "0", "data": data}})
}

fn event(number: &str, received_at: i64, payload: &str) -> PushEvent {
    let mut push_id = [0; 16];
    push_id[..8].copy_from_slice(&xxhash_rust::xxh3::xxh3_64(payload.as_bytes()).to_be_bytes());
    push_id[8..].copy_from_slice(&received_at.to_be_bytes());
    PushEvent {
        push_id: PushId(push_id),
        part: 0,
        parts: 1,
        vendor: Vendor::Kuaidi100,
        account: "demo".to_owned(),
        received_at: TimestampMicros(received_at),
        signature: Signature::Verified,
        vendor_carrier: "yunda".to_owned(),
        tracking_number: number.to_owned(),
        request_type: None,
        query: String::new(),
        content_type: "application/json".to_owned(),
        push_time: None,
        business_id: None,
        payload: payload.to_owned(),
        origin: Origin::Push,
        query_reason: None,
        reference: None,
    }
}

/// Writes push events to the push topic, in order.
struct Topic<'a> {
    stack: &'a dyn Stack,
    partition: i32,
    now: i64,
}

impl Topic<'_> {
    /// Midnight, the given number of days ago, so that whole days are between two of them.
    fn ago(&self, days: i64) -> i64 {
        self.now.div_euclid(DAY) * DAY - days * DAY
    }

    fn raw(&self, key: &str, values: &[Option<&[u8]>]) {
        topics::produce(self.stack, PUSH, self.partition, key, values);
    }

    fn event(&self, key: &str, event: &PushEvent) {
        self.raw(key, &[Some(&topics::encoded(self.stack, event))]);
    }

    fn push(&self, number: &str, received_at: i64, lines: &[Line]) {
        let payload = payload(number, "polling", lines).to_string();
        self.event(number, &event(number, received_at, &payload));
    }

    fn text(&self, number: &str, received_at: i64, payload: &str) {
        self.event(number, &event(number, received_at, payload));
    }
}

/// Records that give no parcel, each class at least once.
fn write_refused(topic: &Topic<'_>) {
    let good = event(
        "REFUSED1",
        topic.ago(60),
        &payload("REFUSED1", "polling", &[]).to_string(),
    );
    let encoded = topics::encoded(topic.stack, &good);
    let mut unknown_schema = encoded.clone();
    unknown_schema[1..5].copy_from_slice(&9_999_u32.to_be_bytes());
    topic.raw(
        "REFUSED1",
        &[
            Some(b"garbage"),
            Some(b""),
            None,
            Some(&encoded[..encoded.len() / 2]),
            Some(&unknown_schema),
        ],
    );
    topic.event("ENDED1", &good);
    topic.push("REFUSED2", topic.now + 2 * HOUR, &[(topic.ago(60), "103", "已揽收")]);
    topic.push("REFUSED3", i64::MAX, &[(topic.ago(60), "103", "已揽收")]);
    topic.text("REFUSED4", topic.ago(60), "快递");
    topic.text("REFUSED5", topic.ago(60), "[1]");
    topic.text("REFUSED6", topic.ago(60), r#"{"status":"polling"}"#);
    // Every line is a change, and its place stands in both records.
    let lines: Vec<Line> = (0..1_000)
        .map(|line| {
            (
                topic.ago(62) + line * 1_000_000,
                if line % 2 == 0 { "0" } else { "5" },
                "",
            )
        })
        .collect();
    let mut large = payload("REFUSED7", "polling", &lines);
    for line in large["lastResult"]["data"].as_array_mut().unwrap() {
        line["location"] = "杭".repeat(1_500).into();
    }
    topic.text("REFUSED7", topic.ago(60), &large.to_string());
}

/// Duplicates, stale pushes, aborts, rewrites.
fn write_ordinary_trouble(topic: &Topic<'_>) {
    let open = [
        (topic.ago(63), "103", "已揽收"),
        (topic.ago(62), "0", "到达杭州"),
        (topic.ago(62) + HOUR, "5", "正在派件"),
    ];
    topic.push("OPEN1", topic.ago(62) + HOUR, &open[..2]);
    topic.push("OPEN1", topic.ago(62) + 2 * HOUR, &open[..2]);
    topic.push("OPEN1", topic.ago(62) + 3 * HOUR, &open);
    topic.push("OPEN1", topic.ago(62) + 4 * HOUR, &open[..1]);
    topic.push("OPEN1", topic.ago(62) + 5 * HOUR, &[]);
    let rewritten = [open[0], (topic.ago(62), "4", "退回"), open[2]];
    topic.push("REWRITTEN1", topic.ago(62) + 2 * HOUR, &open);
    topic.text(
        "REWRITTEN1",
        topic.ago(62) + 3 * HOUR,
        &payload("REWRITTEN1", "updateall", &rewritten).to_string(),
    );
    let mut abort = payload("ABORTED1", "abort", &[]);
    abort["message"] = "3天查询无记录".into();
    topic.text("ABORTED1", topic.ago(61), &abort.to_string());
    abort["comOld"] = "yunda".into();
    abort["comNew"] = "yunda".into();
    topic.text("ABORTED1", topic.ago(61), &abort.to_string());
}

/// Receipts and events with times that a table cannot represent.
fn write_strange_times(topic: &Topic<'_>) {
    let line = (topic.ago(63), "103", "已揽收");
    topic.push("ANCIENT1", -5_000_000, &[line]);
    topic.push("ANCIENT2", i64::MIN, &[line]);
    // A line of 2150 is dropped (rule 4.6), so that both pushes have a row.
    topic.push("FAR1", topic.ago(60), &[line]);
    let mut far = payload("FAR1", "polling", &[line, (topic.ago(61), "0", "到达")]);
    far["lastResult"]["data"][0]["ftime"] = "2150-01-01 00:00:00".into();
    topic.text("FAR1", topic.ago(59), &far.to_string());
    // First one without a row, then one with a row.
    topic.push("ANCIENT3", -7_000_000, &[line]);
    topic.push("ANCIENT3", topic.ago(59), &[line, (topic.ago(60), "3", "已签收")]);
    // First one with a row, then one without: its version is greater, so that only its receipt does not fit.
    topic.push("ANCIENT4", topic.ago(60), &[line]);
    topic.push("ANCIENT4", BEFORE_1900, &[line, (topic.ago(61), "0", "到达")]);
}

/// Lives of numbers, ended by days of the stream and begun again.
fn write_lives(topic: &Topic<'_>) {
    let lines = |days: i64| [(topic.ago(days + 1), "103", "已揽收"), (topic.ago(days), "3", "已签收")];
    for number in ["ENDED1", "REUSED1"] {
        topic.push(number, topic.ago(62) + HOUR, &lines(62));
    }
    write_ordinary_trouble(topic);
    write_refused(topic);
    write_strange_times(topic);
    // 15 days after the deliveries: a former duplicate that no longer is one, and another parcel with the same
    // number.
    topic.push("CLOCK1", topic.ago(47), &lines(48));
    topic.push("ENDED1", topic.ago(47) + HOUR, &lines(62));
    topic.push("REUSED1", topic.ago(47) + HOUR, &lines(48));
    // After 14 days it is still known.
    topic.push("KEPT1", topic.ago(46), &lines(47));
    topic.push("KEPT1", topic.ago(32), &lines(47));
    // A new life of a number whose old life has not ended.
    topic.push("LIVES1", topic.ago(40), &[(topic.ago(41), "103", "已揽收")]);
    topic.push("LIVES1", topic.ago(3), &lines(4));
    // 61 days after OPEN1 was last reported: an unreadable payload begins the day.
    topic.text("CLOCK2", topic.ago(1), "{");
    topic.push(
        "OPEN1",
        topic.ago(1) + HOUR,
        &[(topic.ago(63), "103", "已揽收"), (topic.ago(1), "3", "已签收")],
    );
    topic.push("ANCIENT1", topic.ago(1), &lines(62));
    // Like a replayed dead letter: older than everything in the state.
    topic.push("LATE1", topic.ago(61), &lines(62));
    topic.push("LATE1", topic.ago(61), &lines(62));
}

/// Records of the dead-letter topic that came from one of these topics, by class.
fn dead_letters(stack: &dyn Stack, topics_of_origin: &[&str]) -> BTreeMap<String, u64> {
    let mut classes = BTreeMap::new();
    for mut letter in topics::read(stack, DERIVE_DEAD) {
        if topics_of_origin.contains(&letter.headers["topic"].as_str()) {
            let class = letter.headers.remove("error_class").unwrap();
            *classes.entry(class).or_default() += 1;
        }
    }
    classes
}

/// Keys of the shipment records that no row can represent, in order.
fn shipments_without_a_row(stack: &dyn Stack) -> Vec<String> {
    let letters = topics::read(stack, DERIVE_DEAD).into_iter();
    let of_shipments = letters.filter(|letter| letter.headers["topic"] == SHIPMENT);
    let mut keys: Vec<String> = of_shipments.filter_map(|letter| letter.key).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Parses the last line of the form `… 3 refused (key_mismatch 1, undecodable 2) …`.
fn told(said: &str, what: &str) -> BTreeMap<String, u64> {
    let (_, rest) = said.rsplit_once(&format!(" {what} (")).unwrap();
    let (classes, _) = rest.split_once(')').unwrap();
    let pair = |text: &str| {
        let (class, count) = text.split_once(' ').unwrap();
        (class.to_owned(), count.parse().unwrap())
    };
    classes.split(", ").map(pair).collect()
}

#[test]
fn a_replay_of_a_hostile_topic_leaves_every_row_as_derive_and_the_sink_left_it() {
    let stack = migrated("same-step");
    let _running = ready(&processor("run", &stack), "processor", &stack);
    let now = jiff::Timestamp::now().as_microsecond();
    let topic = |partition| Topic {
        stack: &*stack,
        partition,
        now,
    };
    write_lives(&topic(0));
    // Another partition has another clock, so the 15 days have not passed here.
    let other = topic(1);
    let lines = [(other.ago(63), "103", "已揽收"), (other.ago(62), "3", "已签收")];
    other.push("CONTROL1", other.ago(62), &lines);
    other.push("CONTROL1", other.ago(62), &lines);
    wait_until_in_tables(&stack);

    let said = replay(&stack, &["--from", "earliest"]).unwrap();
    assert!(
        said.contains("rows that differ: 0 of shipment, 0 of transition"),
        "{said}"
    );
    for table in ["shipment", "transition"] {
        let rows = |table: String| tables::rows(&stack, &format!("SELECT * FROM courier.{table} FINAL ORDER BY ALL"));
        let (present, fresh) = (rows(table.to_owned()), rows(format!("{table}_fresh")));
        assert!(present.len() > 10, "{table}: {present:#?}");
        for (present, fresh) in present.iter().zip(&fresh) {
            assert_eq!(present, fresh, "{table}");
        }
        assert_eq!(present.len(), fresh.len(), "{table}");
    }

    // The sink of the push table has a class of its own for records that it cannot represent.
    let mut letters = dead_letters(&stack, &[PUSH]);
    for class in [
        "not_wire_format",
        "malformed",
        "unknown_schema",
        "no_value",
        "unrepresentable",
    ] {
        letters.remove(class);
    }
    let expected = [
        ("key_mismatch", 1),
        ("payload_not_an_object", 1),
        ("payload_not_json", 2),
        ("payload_without_parcel", 1),
        ("received_in_future", 2),
        ("too_large", 1),
        ("undecodable", 5),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(class, count)| (class.to_owned(), count)).into();
    assert_eq!(letters, expected);
    assert_eq!(told(&said, "refused"), letters, "{said}");
    let rows = dead_letters(&stack, &[SHIPMENT, TRANSITION]);
    assert!(rows["unrepresentable"] >= 4, "{rows:?}");
    assert_eq!(told(&said, "records without a row"), rows, "{said}");
    assert_eq!(
        shipments_without_a_row(&stack),
        ["ANCIENT1", "ANCIENT2", "ANCIENT3", "ANCIENT4"].map(|number| format!("kuaidi100:yunda:{number}"))
    );
    // The row of its first push stays.
    let events = "SELECT length(event.id) AS events FROM courier.shipment FINAL WHERE tracking_number = 'ANCIENT4'";
    assert_eq!(tables::rows(&stack, events), [json!({"events": 1})]);

    let mut forgotten: Vec<_> = topics::read(&stack, SHIPMENT)
        .into_iter()
        .filter(|record| record.value.is_none())
        .filter_map(|record| record.key)
        .collect();
    forgotten.sort();
    for number in ["ENDED1", "OPEN1", "REUSED1"] {
        assert!(
            forgotten.contains(&format!("kuaidi100:yunda:{number}")),
            "{forgotten:?}"
        );
    }
    assert!(!forgotten.contains(&"kuaidi100:yunda:CONTROL1".to_owned()));
    for (number, accepted) in [
        ("ENDED1", 2),
        ("KEPT1", 1),
        ("CONTROL1", 1),
        ("LATE1", 1),
        ("FAR1", 2),
        ("ANCIENT4", 2),
    ] {
        assert_eq!(topics::shipments_of(&stack, number).len(), accepted, "{number}");
    }
}
