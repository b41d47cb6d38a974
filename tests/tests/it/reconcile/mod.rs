//! Asking the vendors about parcels of which too little is heard. The vendors are those of the simulator, which count every call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use courierflow_schemas::records::{
    CallClass, CallKind, CallReason, Origin, PushEvent, PushId, RequestAction, SubscriptionRequest, TimestampMicros,
    Vendor, VendorCall,
};
use courierflow_schemas::registry::SchemaIds;
use courierflow_schemas::settings::Secret;
use courierflow_schemas::topics::{PUSH, SHIPMENT, SUBSCRIPTION_REQUEST, VENDOR_CALL};
use courierflow_schemas::wire::{Decoder, Encoder, Record};
use courierflow_tests::stack::{Launch, Service, Stack};
use courierflow_vendors::api::ApiKind;
use courierflow_vendors::api::order::{ApiAccount, QueryOrder, Waybill};
use courierflow_vendors::protocol;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::growth::{GROWN, grow, grown, wait_until_nobody_is_in_the_groups};
use crate::harness::vendors::{CUSTOMER, KEY, SALT, Vendors};
use crate::harness::{
    PATIENCE, agent, eventually, metric, migrate, migrated, processor, ready, readyz, tables, topics,
    wait_until_derived, wait_until_in_tables, wait_until_sink_has_read,
};

const PARTITIONS: usize = 8;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const A_DAY_IN_MS: &str = "86400000";

/// Values of `[reconcile]` with which everything that has a condition is due at once, and a number may be asked often.
const AT_ONCE: &str = "
every_ms = 500
apart_ms = 1000
per_day = 100
per_life = 100
gap_spread_ms = 1
ended_open_ms = [0]
first_push_late_ms = [0]
stalled_ms = [0]
stalled_quiet_ms = 1000
audit_from_ms = 0
audit_until_ms = 1
audit_after_end_ms = 0
audit_within_ms = 3456000000
";

/// The local configuration with an account of the vendors. `account` are further lines of it.
fn configuration(
    stack: &dyn Stack,
    vendors: &Vendors,
    name: &str,
    callback: &str,
    account: &str,
    reconcile: &str,
) -> PathBuf {
    let directory = stack.dir();
    let write = |name: &str, text: &str| {
        let file = directory.join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let (key, salt) = (write("vendor.key", KEY), write("vendor.salt", SALT));
    let local = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/local/courierflow.toml");
    let local = std::fs::read_to_string(local).unwrap();
    let (url, slots) = (&vendors.url, directory.join("slots"));
    let section = format!(
        r#"
[reconcile]
slot_dir = '{slots}'
call_timeout_ms = 2000
{reconcile}
[subscribe]
slot_dir = '{slots}'
[[subscribe.accounts]]
name = "demo"
vendor = "kuaidi100"
api = "kuaidi100_enterprise"
subscribe_url = "{url}/poll"
query_url = "{url}/poll/query.do"
key_file = '{key}'
customer = "{CUSTOMER}"
salt_file = '{salt}'
callback_base = "{callback}"
max_concurrency = 16
max_calls_per_second = 200
{account}
"#,
        slots = slots.display(),
    );
    // Its own sections are replaced.
    let (before, rest) = local.split_once("\n[subscribe]\n").unwrap();
    let (_, after) = rest.split_once("\n[topics]\n").unwrap();
    PathBuf::from(write(name, &format!("{before}\n{section}\n[topics]\n{after}")))
}

/// The role alone, with an account that is only asked.
fn reconcile(stack: &dyn Stack, vendors: &Vendors, account: &str, settings: &str) -> Launch {
    let callback = "http://127.0.0.1:9";
    let file = configuration(stack, vendors, "reconcile.toml", callback, account, settings);
    processor("reconcile", stack).config(file)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A push of Kuaidi100 about a parcel, as ingest would write it.
fn push(number: &str, carrier: &str, result: &Value, received_at: i64) -> PushEvent {
    let payload = json!({
        "status": "polling", "message": "", "autoCheck": "0", "comOld": "", "comNew": "", "lastResult": result,
    });
    let micros = received_at * 1_000_000;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&micros.to_be_bytes());
    id[8..].copy_from_slice(&xxhash(number).to_be_bytes());
    PushEvent {
        push_id: PushId(id),
        received_at: TimestampMicros(micros),
        vendor_carrier: carrier.to_owned(),
        ..topics::push_event(number, payload.to_string())
    }
}

fn xxhash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A parcel that was picked up then, and no more.
fn picked_up(number: &str, carrier: &str, at: i64) -> Value {
    let local = jiff::Timestamp::from_second(at)
        .unwrap()
        .to_zoned(TimeZone::fixed(jiff::tz::offset(8)));
    let time = local.strftime("%Y-%m-%d %H:%M:%S").to_string();
    json!({
        "message": "ok", "state": "1", "status": "200", "ischeck": "0", "com": carrier, "nu": number,
        "data": [{"time": time, "ftime": time, "context": "快件已揽收", "status": "揽收", "statusCode": "1"}],
    })
}

/// A record with its key and its timestamp in milliseconds, if that is not now.
type Keyed<'a, R> = (&'a str, R, Option<i64>);

/// Writes records to the partitions of their numbers.
fn write<R: Record>(stack: &dyn Stack, topic: &str, id: impl Fn(SchemaIds) -> u32, records: &[Keyed<'_, R>]) {
    let ids = topics::registry(stack).schema_ids().unwrap();
    let encoder = Encoder::new(id(ids));
    let mut by_partition: BTreeMap<i32, Vec<Keyed<'_, Vec<u8>>>> = BTreeMap::new();
    for (number, record, at) in records {
        let mut value = Vec::new();
        encoder.encode(record, &mut value).unwrap();
        let partition = topics::murmur2_partition(number, PARTITIONS);
        by_partition.entry(partition).or_default().push((number, value, *at));
    }
    for (partition, records) in &by_partition {
        let records = records
            .iter()
            .map(|(key, value, at)| (*key, Some(value.as_slice()), *at));
        topics::produce_all_at(stack, topic, *partition, records);
    }
}

/// As ingest writes them: the timestamp of a record is the receipt of the push.
fn tell(stack: &dyn Stack, pushes: &[PushEvent]) {
    let records: Vec<_> = pushes
        .iter()
        .map(|event| {
            let received = event.received_at.0.div_euclid(1_000);
            (event.tracking_number.as_str(), event.clone(), Some(received))
        })
        .collect();
    write(stack, PUSH, |ids| ids.push, &records);
}

/// Silent for days: the parcels of a list, picked up five days ago and heard of three days ago.
fn tell_stalled(stack: &dyn Stack, numbers: &[(String, String)]) {
    let pushes: Vec<_> = numbers
        .iter()
        .map(|(number, carrier)| {
            let result = picked_up(number, carrier, now() - 5 * DAY);
            push(number, carrier, &result, now() - 3 * DAY)
        })
        .collect();
    tell(stack, &pushes);
}

fn queries(stack: &dyn Stack) -> Vec<VendorCall> {
    let registry = topics::registry(stack);
    let ids = registry.schema_ids().unwrap();
    let mut decoder = Decoder::<VendorCall>::new(registry, ids.vendor_call);
    let records = topics::read(stack, VENDOR_CALL);
    let values = records.iter().filter_map(|record| record.value.as_deref());
    let calls = values.map(|value| decoder.decode(value).unwrap());
    calls.filter(|call| call.kind == CallKind::Query).collect()
}

fn numbers_of<'a>(calls: impl IntoIterator<Item = &'a VendorCall>) -> BTreeSet<String> {
    calls.into_iter().map(|call| call.tracking_number.clone()).collect()
}

/// Polls until so many queries are recorded.
fn wait_for_queries(stack: &dyn Stack, count: usize) -> Vec<VendorCall> {
    eventually("queries are recorded", || {
        let queries = queries(stack);
        if queries.len() >= count {
            Ok(queries)
        } else {
            Err(format!("{} of {count}", queries.len()))
        }
    })
}

/// Domestic parcels of Kuaidi100 whose carrier tells everything without a telephone number.
fn domestic(vendors: &Vendors) -> Vec<Value> {
    let needs_phone = ["shunfeng", "shunfengkuaiyun", "fengwang", "zhongtong", ""];
    let is_wanted = |parcel: &Value| {
        parcel["course"] == "Domestic" && !needs_phone.contains(&parcel["kuaidi100"].as_str().unwrap())
    };
    vendors.parcels().into_iter().filter(is_wanted).collect()
}

fn text<'a>(parcel: &'a Value, name: &str) -> &'a str {
    parcel[name].as_str().unwrap()
}

/// The role is counted by rounds: after two more of them everything that was due has been planned.
fn two_rounds(service: &Service) {
    let rounds = || metric(service, "courierflow_reconcile_rounds_total");
    let before = rounds().unwrap();
    eventually("two more rounds", || match rounds()? {
        now if now >= before + 2.0 => Ok(()),
        now => Err(now.to_string()),
    });
}

fn ask_to_follow(stack: &dyn Stack, parcels: &[Value]) {
    let request = |parcel: &Value| SubscriptionRequest {
        request_id: "r1".to_owned(),
        requester: "test".to_owned(),
        action: RequestAction::Subscribe,
        requested_at: TimestampMicros(jiff::Timestamp::now().as_microsecond()),
        vendor: None,
        account: None,
        carrier: Some(text(parcel, "kuaidi100").to_owned()),
        tracking_number: text(parcel, "tracking_number").to_owned(),
        phone: None,
        from: None,
        to: None,
        product: None,
        international: None,
        reference: None,
        not_before: None,
        force: false,
    };
    let records: Vec<_> = parcels
        .iter()
        .map(|parcel| (text(parcel, "tracking_number"), request(parcel), None))
        .collect();
    write(stack, SUBSCRIPTION_REQUEST, |ids| ids.subscription_request, &records);
}

/// Moves the vendors' clock, and waits until all pushes of that time are answered.
fn let_pass(vendors: &Vendors, seconds: i64) {
    vendors.advance(seconds);
    eventually("the vendors have told everything", || {
        let totals = vendors.ledger("?totals");
        if totals["idle"] == true && totals["pushes_waiting"] == 0 {
            Ok(())
        } else {
            Err(totals.to_string())
        }
    });
}

#[test]
fn r1_r8_what_pushes_have_lost_is_found_and_nothing_else_and_audits_say_how_much_it_was() {
    let stack = migrated("reconcile-lost");
    let vendors = Vendors::since(12, 260, 2);
    let ingest = ready(&Launch::ingest(), "ingest", &*stack);
    let followed = configuration(&*stack, &vendors, "run.toml", &ingest.url(), "", "");
    let _run = ready(&processor("run", &*stack).config(followed), "run", &*stack);
    let parcels = domestic(&vendors);
    ask_to_follow(&*stack, &parcels);
    let all = u64::try_from(parcels.len()).unwrap();
    eventually("all are followed", || {
        match vendors.ledger("?totals")["active"].as_u64() {
            Some(active) if active >= all => Ok(()),
            active => Err(format!("{active:?} of {all}")),
        }
    });
    let_pass(&vendors, 3 * DAY);
    vendors.faults(&json!({"lost_pushes": 1.0, "lost_parcels": 0.25}));
    let_pass(&vendors, 9 * DAY - 60);
    wait_until_in_tables(&*stack);
    tables::refresh(&*stack, "open_parcel");

    let world = domestic(&vendors);
    let is_lost = |number: &str| vendors.counted(number)["pushes_lost"].as_u64().unwrap() > 0;
    let lost: BTreeSet<String> = world
        .iter()
        .map(|parcel| text(parcel, "tracking_number").to_owned())
        .filter(|number| is_lost(number))
        .collect();
    assert!(lost.len() > 10, "{}", lost.len());

    let account = "daily_queries = 100000\naudit_per_10000 = 5000";
    let reconcile = ready(&reconcile(&*stack, &vendors, account, AT_ONCE), "reconcile", &*stack);
    two_rounds(&reconcile);
    eventually("the tables show the world", || {
        tables::refresh(&*stack, "open_parcel");
        let rows = tables::rows(
            &*stack,
            "SELECT tracking_number, status IN ('DELIVERED', 'RETURNED', 'CANCELLED') AS is_over, length(event.id) AS lines
             FROM courier.shipment FINAL WHERE tracking_state != 'CARRIER_CORRECTED'",
        );
        let known: BTreeMap<_, _> = rows
            .iter()
            .map(|row| (text(row, "tracking_number").to_owned(), row))
            .collect();
        let is_unlike = |parcel: &&Value| {
            let is_over = parcel["is_over"] == true;
            is_over
                && known
                    .get(text(parcel, "tracking_number"))
                    .is_none_or(|row| row["is_over"] != 1)
        };
        match world.iter().find(is_unlike) {
            None => Ok(()),
            Some(parcel) => Err(format!("{parcel}: {:?}", known.get(text(parcel, "tracking_number")))),
        }
    });

    // R1: only what was lost was told by a query first. Of a parcel that goes on the vendor may know something that it has not told yet.
    let told = tables::rows(
        &*stack,
        "SELECT DISTINCT tracking_number FROM courier.shipment FINAL WHERE has(event.origin, 'QUERY')",
    );
    let told: BTreeSet<String> = told.iter().map(|row| text(row, "tracking_number").to_owned()).collect();
    let goes_on = |number: &String| {
        let mut same = world.iter().filter(|parcel| text(parcel, "tracking_number") == number);
        same.any(|parcel| parcel["is_over"] == false)
    };
    let unexpected: Vec<_> = told.difference(&lost).filter(|number| !goes_on(number)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    assert!(!told.is_empty());

    // R8: the audits of a half say how many parcels miss something.
    two_rounds(&reconcile);
    eventually("what was lost is audited", || {
        let audited = numbers_of(queries(&*stack).iter().filter(|call| call.reason == CallReason::Audit));
        let is_waited_for =
            |number: &&String| told.contains(*number) && is_in_half(number) && !audited.contains(*number);
        match told.iter().find(is_waited_for) {
            None => Ok(()),
            Some(number) => Err(number.clone()),
        }
    });
    wait_until_in_tables(&*stack);
    let rows = tables::rows(
        &*stack,
        "SELECT sum(audited) AS audited, sum(with_missed) AS with_missed FROM courier.push_completeness",
    );
    let figure = |name: &str| rows[0][name].as_f64().unwrap();
    let (audited, with_missed) = (figure("audited"), figure("with_missed"));
    assert!(audited > 30.0, "{rows:?}");
    let known: BTreeSet<String> = tables::rows(&*stack, "SELECT DISTINCT tracking_number FROM courier.shipment FINAL")
        .iter()
        .map(|row| text(row, "tracking_number").to_owned())
        .collect();
    let missing = told.iter().filter(|number| lost.contains(*number)).count();
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let share = missing as f64 / known.len() as f64;
    // Four standard deviations: with luck as bad as that once in 16,000 runs.
    let tolerance = 4.0 * (share * (1.0 - share) / audited).sqrt();
    let found = with_missed / audited;
    assert!(
        (found - share).abs() <= tolerance,
        "{found} instead of {share} ± {tolerance}: {rows:?}"
    );
    reconcile_ends(reconcile);
}

/// As the configuration of the sample says: a half.
fn is_in_half(number: &str) -> bool {
    courierflow_domain::reconcile::is_audited(number, 5_000)
}

fn reconcile_ends(mut reconcile: Service) {
    reconcile.terminate(PATIENCE).unwrap();
}

/// What the vendor answers about a parcel now: the result as it is also in a push.
fn vendors_answer(vendors: &Vendors, parcel: &Value) -> Value {
    let mut account = ApiAccount::new("test", ApiKind::Kuaidi100Enterprise);
    account.query_url = format!("{}/poll/query.do", vendors.url);
    account.key = Some(Secret::new(KEY));
    account.customer = Some(CUSTOMER.to_owned());
    let order = QueryOrder {
        waybill: Waybill {
            tracking_number: text(parcel, "tracking_number"),
            carrier: text(parcel, "carrier"),
            vendor_carrier: Some(text(parcel, "kuaidi100")),
        },
        phone: None,
        from: None,
        to: None,
        product: courierflow_schemas::records::Product::Advanced,
    };
    let request = protocol(Vendor::Kuaidi100).api().query(&account, &order).unwrap();
    let mut post = agent().post(&request.url);
    for (name, value) in &request.headers {
        post = post.header(*name, value.expose());
    }
    let mut answer = post.send(request.body.expose()).unwrap();
    answer.body_mut().read_json().unwrap()
}

#[test]
fn r2_r3_stale_answers_and_answers_without_news_change_nothing() {
    let stack = migrated("reconcile-stale");
    let vendors = Vendors::since(12, 200, 2);
    let run = ready(&processor("run", &*stack), "run", &*stack);
    vendors.advance(12 * DAY - 3 * HOUR);
    let over: Vec<_> = domestic(&vendors)
        .into_iter()
        .filter(|parcel| parcel["is_over"] == true)
        .collect();
    assert!(over.len() > 60, "{}", over.len());
    let pushes: Vec<_> = over
        .iter()
        .map(|parcel| {
            let result = vendors_answer(&vendors, parcel);
            push(
                text(parcel, "tracking_number"),
                text(parcel, "kuaidi100"),
                &result,
                now(),
            )
        })
        .collect();
    tell(&*stack, &pushes);
    wait_until_in_tables(&*stack);
    // Half of the answers are ten days old. The vendor looks again after half an hour at the earliest.
    vendors.advance(HOUR);
    vendors.faults(&json!({"stale_answers": 0.5, "stale_hours": 200}));
    let before = topics::written(&*stack, SHIPMENT);

    let account = "daily_queries = 100000\naudit_per_10000 = 10000";
    let reconcile = ready(&reconcile(&*stack, &vendors, account, AT_ONCE), "reconcile", &*stack);
    eventually("all are audited", || {
        let audited = numbers_of(&queries(&*stack));
        match audited.len() {
            count if count >= over.len() => Ok(()),
            count => Err(format!("{count} of {}", over.len())),
        }
    });
    wait_until_derived(&*stack);
    wait_until_sink_has_read(&*stack);
    assert_eq!(
        topics::written(&*stack, SHIPMENT),
        before,
        "a record on the topic of shipments"
    );
    let made: Vec<_> = queries(&*stack);
    let done = made.iter().filter(|call| call.class == CallClass::Done).count();
    assert!(done > over.len() / 2, "{done}");
    let asked = tables::rows(
        &*stack,
        "SELECT count() AS answers FROM courier.push FINAL WHERE origin = 'QUERY'",
    );
    assert_eq!(asked[0]["answers"], done);
    let confirmed = metric(&run, "courierflow_derive_push_events_total{outcome=\"confirmed\"}").unwrap();
    let duplicate = metric(&run, "courierflow_derive_push_events_total{outcome=\"duplicate\"}").unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let expected = done as f64;
    assert!(
        (confirmed + duplicate - expected).abs() < f64::EPSILON,
        "{confirmed} {duplicate} of {done}"
    );
    reconcile_ends(reconcile);
}

fn a_push_a_minute_on_the_days_before(stack: &dyn Stack) {
    tables::execute(
        stack,
        "INSERT INTO courier.push (vendor, account, received_at, push_id, part, parts, carrier, tracking_number, signature)
         SELECT 'kuaidi100', 'demo', now() - toIntervalDay(1 + number % 7) - toIntervalMinute(intDiv(number, 7)), toString(number),
            0, 1, 'yto', 'YT0', 'VERIFIED'
         FROM numbers(7 * 600)",
    );
}

#[test]
fn r4_after_a_gap_every_open_parcel_is_asked_about_once_and_by_order_again() {
    let stack = migrated("reconcile-gap");
    let vendors = Vendors::start();
    let _run = ready(&processor("run", &*stack), "run", &*stack);
    let carrier = "yuantong";
    let open: Vec<String> = (0..60).map(|index| format!("YT4{index:012}")).collect();
    let heard = "YT4999999999999";
    let mut pushes: Vec<_> = open
        .iter()
        .map(|number| {
            push(
                number,
                carrier,
                &picked_up(number, carrier, now() - 8 * HOUR),
                now() - 5 * HOUR,
            )
        })
        .collect();
    // A push ends the gap, in an interval that is over.
    let result = picked_up(heard, carrier, now() - 8 * HOUR);
    pushes.push(push(heard, carrier, &result, now() - 1_300));
    tell(&*stack, &pushes);
    wait_until_in_tables(&*stack);
    a_push_a_minute_on_the_days_before(&*stack);
    tables::refresh(&*stack, "open_parcel");
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("stalled_quiet_ms = 1000", &format!("stalled_quiet_ms = {A_DAY_IN_MS}"));
    let launch = reconcile(&*stack, &vendors, account, &settings);
    let reconcile = ready(&launch, "reconcile", &*stack);
    let all: BTreeSet<String> = open.iter().cloned().collect();
    let made = wait_for_queries(&*stack, open.len());
    two_rounds(&reconcile);
    assert_eq!(queries(&*stack).len(), made.len(), "once");
    assert_eq!(numbers_of(&made), all);
    assert!(
        made.iter()
            .all(|call| call.reason == CallReason::Gap && call.class == CallClass::NoResult)
    );

    // The operator's order: once more, for what was not heard of since.
    let (from, to) = (
        jiff::Timestamp::from_second(now() - 6 * HOUR),
        jiff::Timestamp::from_second(now() - HOUR),
    );
    let (from, to) = (from.unwrap().to_string(), to.unwrap().to_string());
    launch
        .clone()
        .arg("--gap")
        .arg(from.clone())
        .arg(to.clone())
        .run_to_end("order", &*stack)
        .unwrap();
    let made = wait_for_queries(&*stack, 2 * open.len());
    two_rounds(&reconcile);
    assert_eq!((queries(&*stack).len(), numbers_of(&made)), (2 * open.len(), all));
    let wrong = launch.arg("--gap").arg(to).arg(from).run_to_end("order", &*stack);
    assert!(wrong.is_err());
    reconcile_ends(reconcile);
}

#[test]
fn r4_while_the_sink_stands_still_nothing_is_concluded_from_the_tables() {
    let stack = migrated("reconcile-behind");
    let vendors = Vendors::start();
    let _derive = ready(&processor("derive", &*stack), "derive", &*stack);
    let mut sink = ready(&processor("sink", &*stack), "sink", &*stack);
    let carrier = "yuantong";
    let told = |number: &str, ago: i64| {
        let result = picked_up(number, carrier, now() - 8 * HOUR);
        push(number, carrier, &result, now() - ago)
    };
    let open: Vec<_> = (0..60)
        .map(|index| told(&format!("YT7{index:012}"), 5 * HOUR))
        .collect();
    tell(&*stack, &open);
    wait_until_in_tables(&*stack);
    a_push_a_minute_on_the_days_before(&*stack);
    tables::refresh(&*stack, "open_parcel");

    // Since then a push came every ten minutes, so there is no gap. The tables do not know of them.
    sink.terminate(PATIENCE).unwrap();
    let since: Vec<_> = (0..30)
        .map(|index| told(&format!("YT8{index:012}"), index * 600))
        .collect();
    tell(&*stack, &since);
    wait_until_derived(&*stack);
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("stalled_quiet_ms = 1000", &format!("stalled_quiet_ms = {A_DAY_IN_MS}"))
        + "gap_longest_ms = 3600000\n";
    let reconcile = ready(&reconcile(&*stack, &vendors, account, &settings), "reconcile", &*stack);
    let rounds_of = |answer: &Value| answer["parts"]["reconcile"]["degraded"]["rounds"].clone();
    eventually("it says that the tables are behind", || {
        let answer = readyz(&reconcile)?;
        let says = rounds_of(&answer).as_str().unwrap_or_default().to_owned();
        if answer["ready"] == true && says.contains("push ") && says.contains("shipment ") {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    let behind = |what: &str| {
        metric(
            &reconcile,
            &format!("courierflow_reconcile_behind_seconds{{what=\"{what}\"}}"),
        )
    };
    let (of_push, of_derive) = (behind("push").unwrap(), behind("derive").unwrap());
    assert!((17_000.0..19_000.0).contains(&of_push), "{of_push}");
    assert_eq!((of_derive, behind("subscription").unwrap()), (0.0, 0.0));
    assert_eq!(metric(&reconcile, "courierflow_reconcile_paused"), Ok(1.0));
    assert!(
        reconcile
            .log()
            .unwrap()
            .contains("paused: nobody is asked about silent parcels")
    );
    assert_eq!(queries(&*stack), []);

    sink.restart().unwrap();
    wait_until_sink_has_read(&*stack);
    eventually("it goes on", || {
        let rounds = metric(&reconcile, "courierflow_reconcile_rounds_total")?;
        let answer = readyz(&reconcile)?;
        if rounds >= 2.0 && rounds_of(&answer).is_null() {
            Ok(())
        } else {
            Err(format!("{rounds} {answer}"))
        }
    });
    two_rounds(&reconcile);
    assert_eq!(queries(&*stack), [], "there was no gap");
    reconcile_ends(reconcile);
}

#[test]
fn r5_the_budget_of_a_day_is_kept_and_what_is_left_over_is_told() {
    let stack = migrated("reconcile-budget");
    let vendors = Vendors::start();
    let _run = ready(&processor("run", &*stack), "run", &*stack);
    let numbers: Vec<_> = (0..400)
        .map(|index| (format!("YT5{index:012}"), "yuantong".to_owned()))
        .collect();
    tell_stalled(&*stack, &numbers);
    wait_until_in_tables(&*stack);
    tables::refresh(&*stack, "open_parcel");
    let account = "daily_queries = 100\naudit_share = 0.2\naudit_per_10000 = 10000";
    let settings = AT_ONCE
        .replace("apart_ms = 1000", "apart_ms = 3600000")
        .replace("per_day = 100", "per_day = 2");
    let mut reconcile = ready(&reconcile(&*stack, &vendors, account, &settings), "reconcile", &*stack);
    let made = wait_for_queries(&*stack, 100);
    two_rounds(&reconcile);
    let budget = "courierflow_reconcile_budget_left{account=\"kuaidi100/demo\"}";
    eventually("nothing is left", || match metric(&reconcile, budget)? {
        0.0 => Ok(()),
        left => Err(left.to_string()),
    });
    let unserved = |class: &str| {
        metric(
            &reconcile,
            &format!("courierflow_reconcile_unserved{{class=\"{class}\"}}"),
        )
    };
    assert_eq!((unserved("STALLED"), unserved("AUDIT")), (Ok(300.0), Ok(300.0)));
    let of = |reason| made.iter().filter(|call| call.reason == reason).count();
    assert_eq!((of(CallReason::Stalled), of(CallReason::Audit)), (80, 20));
    assert_eq!(numbers_of(&made).len(), 100, "no number twice");
    // The budget survives the process: what was asked is on the topic.
    reconcile.kill().unwrap();
    reconcile.restart().unwrap();
    reconcile.wait_ready(PATIENCE).unwrap();
    two_rounds(&reconcile);
    assert_eq!(vendors.ledger("?totals")["total"]["queries"], 100);
    assert_eq!(queries(&*stack).len(), 100);

    // ClickHouse away: paused, and ready all the same.
    stack.kill(courierflow_tests::stack::Server::ClickHouse).unwrap();
    eventually("it pauses", || {
        match metric(&reconcile, "courierflow_reconcile_paused")? {
            1.0 => Ok(()),
            paused => Err(paused.to_string()),
        }
    });
    assert_eq!(readyz(&reconcile).unwrap()["parts"]["reconcile"]["ready"], true);
    stack
        .start_server(courierflow_tests::stack::Server::ClickHouse)
        .unwrap();
    eventually("it goes on", || {
        match metric(&reconcile, "courierflow_reconcile_paused")? {
            0.0 => Ok(()),
            paused => Err(paused.to_string()),
        }
    });
    reconcile_ends(reconcile);
}

#[test]
fn r6_killed_at_random_no_number_is_asked_twice_and_answers_and_events_belong_together() {
    const KILLS: usize = 10;
    let stack = migrated("reconcile-killed");
    let vendors = Vendors::since(12, 500, 2);
    let _run = ready(&processor("run", &*stack), "run", &*stack);
    vendors.advance(12 * DAY - HOUR);
    let numbers: Vec<_> = domestic(&vendors)
        .iter()
        .map(|parcel| {
            (
                text(parcel, "tracking_number").to_owned(),
                text(parcel, "kuaidi100").to_owned(),
            )
        })
        .collect();
    tell_stalled(&*stack, &numbers);
    wait_until_in_tables(&*stack);
    tables::refresh(&*stack, "open_parcel");
    vendors.faults(&json!({"slow": 1.0, "slow_ms": 150}));
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("apart_ms = 1000", "apart_ms = 3600000");
    let mut reconcile = ready(&reconcile(&*stack, &vendors, account, &settings), "reconcile", &*stack);
    let all = u64::try_from(numbers.len()).unwrap();
    let total = || vendors.ledger("?totals")["total"]["queries"].as_u64().unwrap();
    for _ in 0..KILLS {
        let before = total();
        eventually("some are asked", || match total() {
            now if now > before + 5 || now >= all => Ok(()),
            now => Err(now.to_string()),
        });
        reconcile.kill().unwrap();
        reconcile.restart().unwrap();
    }
    reconcile.wait_ready(PATIENCE).unwrap();
    let calls = wait_for_queries(&*stack, numbers.len());
    two_rounds(&reconcile);
    assert_eq!(numbers_of(&calls).len(), numbers.len());
    for (number, _) in &numbers {
        let counted = vendors.counted(number);
        assert!(counted["queries"].as_u64().unwrap() <= 1, "{number}: {counted}");
    }
    let mut calls = queries(&*stack);
    // On a machine that stands still a call may not be sent; then it is made again.
    calls.retain(|call| call.class != CallClass::Retry || call.http_status.is_some());
    assert_eq!(calls.len(), numbers.len(), "one record a call");
    let lost = calls.iter().filter(|call| call.class == CallClass::Unknown).count();
    assert!(lost > 0, "no call was interrupted");
    let events = topics::push_events(&*stack, &topics::read(&*stack, PUSH)).into_iter();
    let mut of_events: Vec<PushId> = events
        .filter(|event| event.origin == Origin::Query)
        .map(|event| event.push_id)
        .collect();
    let mut of_calls: Vec<PushId> = calls.iter().filter_map(|call| call.push_id).collect();
    let done = calls.iter().filter(|call| call.class == CallClass::Done).count();
    of_events.sort_unstable();
    of_calls.sort_unstable();
    assert_eq!((of_calls.len(), &of_events), (done, &of_calls));
    wait_until_in_tables(&*stack);
    let mut unlike = String::new();
    for (condition, what) in [
        (
            "push_id NOT IN (SELECT push_id FROM courier.push FINAL)",
            "a call without its event",
        ),
        ("isNull(push_id)", "an answer without an event"),
    ] {
        let sql = format!(
            "SELECT count() AS wrong FROM courier.vendor_call FINAL WHERE class = 'DONE' AND kind = 'QUERY' AND {condition}"
        );
        if tables::rows(&*stack, &sql)[0]["wrong"] != 0 {
            writeln!(unlike, "{what}").unwrap();
        }
    }
    assert_eq!(unlike, "");
    reconcile_ends(reconcile);
}

#[test]
fn r6_a_topic_of_calls_that_was_made_anew_is_told() {
    let stack = migrated("reconcile-made-anew");
    let vendors = Vendors::start();
    let mut run = ready(&processor("run", &*stack), "run", &*stack);
    let numbers: Vec<_> = (0..20)
        .map(|index| (format!("YT9{index:012}"), "yuantong".to_owned()))
        .collect();
    tell_stalled(&*stack, &numbers);
    wait_until_in_tables(&*stack);
    tables::refresh(&*stack, "open_parcel");
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("apart_ms = 1000", "apart_ms = 3600000");
    let mut reconcile = ready(&reconcile(&*stack, &vendors, account, &settings), "reconcile", &*stack);
    wait_for_queries(&*stack, numbers.len());
    two_rounds(&reconcile);
    wait_until_sink_has_read(&*stack);
    let said = "the table vendor_call knows queries of the last 25 days that the topic does not hold";
    let lost = |service: &Service| metric(service, "courierflow_reconcile_records_lost_total");
    // What is on the topic is no loss.
    reconcile.terminate(PATIENCE).unwrap();
    reconcile.restart().unwrap();
    reconcile.wait_ready(PATIENCE).unwrap();
    two_rounds(&reconcile);
    assert_eq!(lost(&reconcile), Ok(0.0));
    assert!(!reconcile.log().unwrap().contains(said));

    reconcile.terminate(PATIENCE).unwrap();
    run.terminate(PATIENCE).unwrap();
    topics::delete(&*stack, &[VENDOR_CALL], &[]);
    assert!(migrate(&*stack).contains("created topic courier.vendor.call.v1"));
    run.restart().unwrap();
    reconcile.restart().unwrap();
    eventually("it says so", || match lost(&reconcile)? {
        20.0 => Ok(()),
        lost => Err(lost.to_string()),
    });
    assert!(reconcile.log().unwrap().contains(said));
    reconcile_ends(reconcile);
}

#[test]
fn r6_after_the_topics_have_grown_no_number_is_asked_again_before_its_time() {
    let stack = migrated("reconcile-growth");
    let vendors = Vendors::since(12, 300, 2);
    let mut run = ready(&processor("run", &*stack), "run", &*stack);
    vendors.advance(12 * DAY - HOUR);
    let numbers: Vec<_> = domestic(&vendors)
        .iter()
        .map(|parcel| {
            (
                text(parcel, "tracking_number").to_owned(),
                text(parcel, "kuaidi100").to_owned(),
            )
        })
        .collect();
    let all: BTreeSet<String> = numbers.iter().map(|(number, _)| number.clone()).collect();
    tell_stalled(&*stack, &numbers);
    wait_until_in_tables(&*stack);
    tables::refresh(&*stack, "open_parcel");
    vendors.faults(&json!({"slow": 1.0, "slow_ms": 300}));
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("apart_ms = 1000", "apart_ms = 3600000");
    let launch = reconcile(&*stack, &vendors, account, &settings);
    let mut first = ready(&launch, "reconcile", &*stack);
    let total = || vendors.ledger("?totals")["total"]["queries"].as_u64().unwrap();
    eventually("some are asked", || match total() {
        asked if asked >= 40 => Ok(()),
        asked => Err(asked.to_string()),
    });
    // In the middle of calls, of which only the intents are left.
    first.kill().unwrap();
    assert!(total() < u64::try_from(all.len()).unwrap(), "all were asked before");

    wait_until_in_tables(&*stack);
    run.terminate(PATIENCE).unwrap();
    wait_until_nobody_is_in_the_groups(&*stack);
    let said = grow(&*stack, "grow").unwrap();
    assert!(
        said.contains("calls of the vendors' APIs to their partitions"),
        "{said}"
    );
    let said = grow(&*stack, "again").unwrap();
    assert!(said.contains("nothing to change"), "{said}");

    vendors.faults(&json!({"slow": 0.0}));
    let _run = ready(&grown("run", &*stack), "grown", &*stack);
    let launch = launch.env("COURIERFLOW__TOPICS__PARTITIONS", GROWN.to_string());
    let second = ready(&launch, "reconcile-grown", &*stack);
    eventually("all are asked", || {
        let asked = numbers_of(&queries(&*stack));
        match all.difference(&asked).count() {
            0 => Ok(()),
            missing => Err(format!("{missing} are not")),
        }
    });
    two_rounds(&second);
    for number in &all {
        let counted = vendors.counted(number);
        assert!(counted["queries"].as_u64().unwrap() <= 1, "{number}: {counted}");
    }
    reconcile_ends(second);
}
