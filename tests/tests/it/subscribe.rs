//! Subscribing: requests on their topic, vendors that are called, kills in between. The vendors are those of the simulator, which count
//! every call.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use courierflow_schemas::records::{
    CallClass, Origin, PushEvent, PushId, Reason, RequestAction, Signature, Subscription, SubscriptionRequest,
    SubscriptionState, TimestampMicros, Vendor, VendorCall,
};
use courierflow_schemas::topics::{
    ALL, DERIVE_DEAD, PUSH, SUBSCRIPTION, SUBSCRIPTION_REQUEST, SUBSCRIPTION_SECRET, VENDOR_CALL,
};
use courierflow_schemas::wire::{Decoder, Encoder};
use courierflow_tests::simulator::vendor_server::{Contracts, Faults, ServeConfig, VendorServer};
use courierflow_tests::stack::{Launch, Service, Stack};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::harness::{PATIENCE, agent, eventually, metric, migrated, processor, ready, readyz, topics};

const KEY: &str = "the-key-of-the-contract-9f31";
const CUSTOMER: &str = "THE-CUSTOMER-9f31";
/// That of the local configuration.
const SALT: &str = "courierflow-demo-salt";
const PARTITIONS: usize = 8;

/// Vendors that listen; they end with the runtime.
pub(crate) struct Vendors {
    url: String,
    _runtime: Runtime,
}

impl Vendors {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let config = ServeConfig {
            seed: 7,
            parcels: 10,
            from: jiff::Timestamp::now().as_second() - 86_400,
            order_days: Some(1),
            speed: 0.0,
            contracts: Contracts {
                kuaidi100_key: KEY.to_owned(),
                kuaidi100_customer: CUSTOMER.to_owned(),
                kuaidi100_app_code: String::new(),
                kdniao_business_id: String::new(),
                kdniao_app_key: String::new(),
                kdniao_callback: String::new(),
                seventeentrack_key: String::new(),
                seventeentrack_callback: String::new(),
            },
            faults: Faults::default(),
            units: None,
        };
        let server = runtime.block_on(VendorServer::bind("127.0.0.1:0".parse().unwrap(), config));
        let server = server.unwrap();
        let url = format!("http://{}", server.address());
        runtime.spawn(server.run(std::future::pending()));
        Self { url, _runtime: runtime }
    }

    pub(crate) fn faults(&self, change: &Value) {
        let answer = agent().post(format!("{}/faults", self.url)).send_json(change).unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }

    /// What is counted about a number: name → count.
    pub(crate) fn counted(&self, number: &str) -> Value {
        self.ledger(&format!("?tracking_number={number}"))["total"].clone()
    }

    fn ledger(&self, query: &str) -> Value {
        let mut answer = agent().get(format!("{}/ledger{query}", self.url)).call().unwrap();
        answer.body_mut().read_json().unwrap()
    }
}

/// The local configuration with an account of the vendors and short delays.
pub(crate) fn configuration(stack: &dyn Stack, vendors: &Vendors) -> PathBuf {
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
[subscribe]
slot_dir = '{slots}'
call_timeout_ms = 1000
retry_ms = [100, 200, 200, 200, 200, 200]
in_doubt_ms = 200
throttled_ms = 200
unsent_ms = 200
not_recognised_ms = 300
probe_ms = 500
[[subscribe.accounts]]
name = "demo"
vendor = "kuaidi100"
api = "kuaidi100_enterprise"
subscribe_url = "{url}/poll"
query_url = "{url}/poll/query.do"
key_file = '{key}'
customer = "{CUSTOMER}"
salt_file = '{salt}'
callback_base = "http://127.0.0.1:9"
max_calls_per_second = 500
max_concurrency = 16
"#,
        slots = slots.display(),
    );
    // Its own section is replaced.
    let (before, rest) = local.split_once("\n[subscribe]\n").unwrap();
    let (_, after) = rest.split_once("\n[topics]\n").unwrap();
    PathBuf::from(write(
        "subscribe.toml",
        &format!("{before}\n{section}\n[topics]\n{after}"),
    ))
}

/// The role, with an account of the vendors.
pub(crate) fn subscribe(stack: &dyn Stack, vendors: &Vendors) -> Launch {
    processor("subscribe", stack).config(configuration(stack, vendors))
}

pub(crate) fn request(number: &str, id: &str) -> SubscriptionRequest {
    SubscriptionRequest {
        request_id: id.to_owned(),
        requester: "test".to_owned(),
        action: RequestAction::Subscribe,
        requested_at: TimestampMicros(jiff::Timestamp::now().as_microsecond()),
        vendor: None,
        account: None,
        carrier: Some("yto".to_owned()),
        tracking_number: number.to_owned(),
        phone: Some("8888".to_owned()),
        from: None,
        to: None,
        product: None,
        international: None,
        reference: None,
        not_before: None,
        force: false,
    }
}

pub(crate) fn ask(stack: &dyn Stack, requests: &[SubscriptionRequest]) {
    ask_on(stack, requests, PARTITIONS);
}

/// The same where the topic has so many partitions.
pub(crate) fn ask_on(stack: &dyn Stack, requests: &[SubscriptionRequest], partitions: usize) {
    let ids = topics::registry(stack).schema_ids().unwrap();
    let encoder = Encoder::new(ids.subscription_request);
    let mut by_partition: BTreeMap<i32, Vec<(&str, Vec<u8>)>> = BTreeMap::new();
    for request in requests {
        let mut value = Vec::new();
        encoder.encode(request, &mut value).unwrap();
        let partition = topics::murmur2_partition(&request.tracking_number, partitions);
        by_partition
            .entry(partition)
            .or_default()
            .push((&request.tracking_number, value));
    }
    for (partition, records) in &by_partition {
        let records = records.iter().map(|(key, value)| (*key, Some(value.as_slice())));
        topics::produce_all(stack, SUBSCRIPTION_REQUEST, *partition, records);
    }
}

/// Every version of every subscription, in order.
fn versions(stack: &dyn Stack) -> Vec<Subscription> {
    let registry = topics::registry(stack);
    let ids = registry.schema_ids().unwrap();
    let mut decoder = Decoder::<Subscription>::new(registry, ids.subscription);
    let records = topics::read(stack, SUBSCRIPTION);
    let values = records.iter().filter_map(|record| record.value.as_deref());
    values.map(|value| decoder.decode(value).unwrap()).collect()
}

/// The newest version of each number.
pub(crate) fn newest(stack: &dyn Stack) -> BTreeMap<String, Subscription> {
    let versions = versions(stack).into_iter();
    versions
        .map(|subscription| (subscription.tracking_number.clone(), subscription))
        .collect()
}

pub(crate) fn wait_for(
    stack: &dyn Stack,
    numbers: &[String],
    state: SubscriptionState,
) -> BTreeMap<String, Subscription> {
    eventually(&format!("all are {state}"), || {
        let newest = newest(stack);
        let is_there = |number: &&String| newest.get(*number).is_some_and(|found| found.state == state);
        match numbers.iter().find(|number| !is_there(number)) {
            None => Ok(newest),
            Some(number) => Err(format!("{number}: {:?}", newest.get(number))),
        }
    })
}

fn calls(stack: &dyn Stack) -> Vec<VendorCall> {
    let registry = topics::registry(stack);
    let ids = registry.schema_ids().unwrap();
    let mut decoder = Decoder::<VendorCall>::new(registry, ids.vendor_call);
    let records = topics::read(stack, VENDOR_CALL);
    let values = records.iter().filter_map(|record| record.value.as_deref());
    values.map(|value| decoder.decode(value).unwrap()).collect()
}

pub(crate) fn force(number: &str, code: &str, times: Option<u32>) -> Value {
    json!({"tracking_number": number, "code": code, "times": times})
}

pub(crate) fn numbers(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{prefix}{index:010}")).collect()
}

#[test]
fn a1_a2_a11_a14_a17_a18_what_vendors_answer_is_told_and_nobody_is_asked_twice() {
    let stack = migrated("subscribe");
    let vendors = Vendors::start();
    let mut subscribe = ready(&subscribe(&stack, &vendors), "subscribe", &stack);

    // A1, A2: once active, asked for again and again.
    let number = "YT0000000000001".to_owned();
    ask(&stack, &[request(&number, "r1")]);
    let active = wait_for(&stack, std::slice::from_ref(&number), SubscriptionState::Active);
    let active = &active[&number];
    assert_eq!((active.attempt, active.round, active.duplicate), (1, 1, false));
    assert_eq!(active.calls.iter().map(|month| month.accepted).sum::<u16>(), 1);
    let mut again: Vec<_> = (0..20).map(|_| request(&number, "r1")).collect();
    again.push(request(&number, "r2"));
    ask(&stack, &again);
    let of_outcome = |outcome: &str| format!("courierflow_subscribe_requests_total{{outcome=\"{outcome}\"}}");
    eventually("all requests are counted", || {
        let counted = metric(&subscribe, &of_outcome("repeated"))? + metric(&subscribe, &of_outcome("already"))?;
        if counted >= 21.0 {
            Ok(())
        } else {
            Err(counted.to_string())
        }
    });
    assert_eq!(vendors.counted(&number)["calls"], 1);

    a11_a14(&*stack, &vendors);
    a17(&*stack, &vendors);
    bad_requests(&*stack);
    a18(&*stack, &subscribe);
    subscribe.terminate(PATIENCE).unwrap();
}

/// Codes of the vendor, one number each: the state and reason that they end in, and the calls that it took.
fn a11_a14(stack: &dyn Stack, vendors: &Vendors) {
    let cases = [
        (
            "CODE700",
            "700",
            None,
            SubscriptionState::Rejected,
            Some(Reason::UnknownCarrier),
            1,
        ),
        (
            "CODE701",
            "701",
            None,
            SubscriptionState::Rejected,
            Some(Reason::BadData),
            1,
        ),
        (
            "CODE400",
            "400",
            None,
            SubscriptionState::Rejected,
            Some(Reason::BadPlace),
            1,
        ),
        (
            "CODE502",
            "502",
            None,
            SubscriptionState::Rejected,
            Some(Reason::Sensitive),
            1,
        ),
        ("CODE799", "799", Some(1), SubscriptionState::Active, None, 2),
        ("CODE500A", "500", Some(6), SubscriptionState::Active, None, 7),
        (
            "CODE500B",
            "500",
            None,
            SubscriptionState::Rejected,
            Some(Reason::VendorError),
            7,
        ),
    ];
    let forced: Vec<_> = cases
        .iter()
        .map(|(number, code, times, ..)| force(number, code, *times))
        .collect();
    vendors.faults(&json!({"forced": forced}));
    let requests: Vec<_> = cases.iter().map(|(number, ..)| request(number, "r1")).collect();
    ask(stack, &requests);
    for (number, code, _, state, reason, made) in cases {
        let found = wait_for(stack, &[number.to_owned()], state);
        assert_eq!((found[number].state, found[number].reason), (state, reason), "{code}");
        assert_eq!(vendors.counted(number)["calls"], made, "{number}");
        let records = calls(stack)
            .into_iter()
            .filter(|call| call.tracking_number == number)
            .count();
        assert_eq!(records, usize::try_from(made).unwrap(), "{number}");
    }
}

/// A push whose tracking has this status. What is said of the parcel is its sign-off, or nothing if the vendor gave up.
pub(crate) fn pushed(number: &str, status: &str, message: &str) -> PushEvent {
    let signed_off = json!({
        "time": "2026-01-02 10:00:00", "ftime": "2026-01-02 10:00:00", "context": "已签收", "statusCode": "3",
    });
    let items = if status == "abort" { vec![] } else { vec![signed_off] };
    let payload = json!({
        "status": status, "message": message, "autoCheck": "0", "comOld": "", "comNew": "",
        "lastResult": {"message": "ok", "state": "3", "ischeck": "1", "com": "yuantong", "nu": number, "data": items},
    });
    PushEvent {
        push_id: PushId::default(),
        part: 0,
        parts: 1,
        vendor: Vendor::Kuaidi100,
        account: "demo".to_owned(),
        received_at: TimestampMicros(jiff::Timestamp::now().as_microsecond()),
        signature: Signature::Verified,
        vendor_carrier: "yuantong".to_owned(),
        tracking_number: number.to_owned(),
        request_type: None,
        query: String::new(),
        content_type: String::new(),
        push_time: None,
        business_id: None,
        payload: payload.to_string(),
        origin: Origin::Push,
        query_reason: None,
    }
}

/// The vendor ends a subscription: only a forced request would begin another, and not so soon.
fn a17(stack: &dyn Stack, vendors: &Vendors) {
    let number = "YT0000000000017";
    ask(stack, &[request(number, "r1")]);
    wait_for(stack, &[number.to_owned()], SubscriptionState::Active);
    let event = pushed(number, "shutdown", "");
    let partition = topics::murmur2_partition(number, PARTITIONS);
    topics::produce(stack, PUSH, partition, number, &[Some(&topics::encoded(stack, &event))]);
    let ended = wait_for(stack, &[number.to_owned()], SubscriptionState::Ended);
    assert_eq!(ended[number].ended_word.as_deref(), Some("shutdown"));
    assert!(ended[number].first_push_at.is_some());
    let forced = SubscriptionRequest {
        force: true,
        ..request(number, "r3")
    };
    ask(stack, &[request(number, "r1"), request(number, "r2"), forced]);
    // What comes behind them on their partition.
    let behind = topics::numbers_on(partition, "BEHIND").next().unwrap();
    ask(stack, &[request(&behind, "r1")]);
    wait_for(stack, &[behind], SubscriptionState::Active);
    assert_eq!(newest(stack)[number], ended[number]);
    assert_eq!(vendors.counted(number)["calls"], 1);
    let secrets = topics::read(stack, SUBSCRIPTION_SECRET);
    let of_it: Vec<_> = secrets
        .iter()
        .filter(|record| record.key.as_deref().unwrap().ends_with(number))
        .collect();
    assert_eq!(
        of_it.iter().map(|record| record.value.is_some()).collect::<Vec<_>>(),
        [true, false]
    );
}

/// Bad content is answered on the topic of subscriptions; what is no request is a dead letter.
fn bad_requests(stack: &dyn Stack) {
    let unknown = SubscriptionRequest {
        account: Some("nobody".to_owned()),
        ..request("BADACCOUNT1", "r1")
    };
    let carrier = SubscriptionRequest {
        carrier: Some("snail".to_owned()),
        ..request("BADCARRIER1", "r1")
    };
    let no_phone = SubscriptionRequest {
        carrier: Some("shunfeng".to_owned()),
        phone: None,
        ..request("SF00000000001", "r1")
    };
    let cases = [
        (unknown, Reason::BadData),
        (carrier, Reason::UnknownCarrier),
        (no_phone, Reason::Phone),
    ];
    for (asked, reason) in cases {
        ask(stack, std::slice::from_ref(&asked));
        let number = asked.tracking_number;
        let found = wait_for(stack, std::slice::from_ref(&number), SubscriptionState::Rejected);
        assert_eq!(found[&number].reason, Some(reason), "{number}");
    }
    topics::produce(stack, SUBSCRIPTION_REQUEST, 3, "junk", &[Some(b"junk")]);
    eventually("the junk is dead-lettered", || {
        let dead = topics::read(stack, DERIVE_DEAD);
        let class = dead
            .first()
            .and_then(|record| record.headers.get("error_class").cloned());
        if class.as_deref() == Some("undecodable") {
            Ok(())
        } else {
            Err(format!("{dead:?}"))
        }
    });
}

/// Keys and salts are on no topic, in no log and in no metric.
fn a18(stack: &dyn Stack, subscribe: &Service) {
    let metrics = agent().get(format!("{}/metrics", subscribe.url())).call();
    let metrics = metrics.unwrap().body_mut().read_to_string().unwrap();
    let log = subscribe.log().unwrap();
    for secret in [KEY, CUSTOMER, SALT] {
        assert!(!metrics.contains(secret) && !log.contains(secret), "{secret}");
        for topic in ALL {
            let records = topics::read(stack, topic.name);
            let values = records.iter().filter_map(|record| record.value.as_deref());
            let has = |value: &[u8]| value.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert_eq!(
                values.filter(|value| has(value)).count(),
                0,
                "{secret} on {}",
                topic.name
            );
        }
    }
}

#[test]
fn a6_killed_at_random_it_asks_for_every_number_and_no_vendor_takes_one_twice() {
    const KILLS: usize = 5;
    let stack = migrated("subscribe-killed");
    let vendors = Vendors::start();
    vendors.faults(&json!({"drop_after_accept": 0.05, "server_errors": 0.02, "html": 0.01}));
    let mut subscribe = ready(&subscribe(&stack, &vendors), "subscribe", &stack);
    let numbers = numbers("YT6", 400);
    let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
    for part in requests.chunks(requests.len() / KILLS) {
        ask(&stack, part);
        let before = vendors.ledger("?totals")["total"]["calls"].as_u64().unwrap();
        eventually("some are asked for", || {
            let calls = vendors.ledger("?totals")["total"]["calls"].as_u64().unwrap();
            if calls > before + 20 {
                Ok(())
            } else {
                Err(calls.to_string())
            }
        });
        subscribe.kill().unwrap();
        subscribe.restart().unwrap();
    }
    let newest = wait_for(&stack, &numbers, SubscriptionState::Active);
    for number in &numbers {
        let counted = vendors.counted(number);
        assert_eq!(counted["accepted"], 1, "{number}: {counted}");
        let accepted: u16 = newest[number].calls.iter().map(|month| month.accepted).sum();
        assert_eq!(accepted, 1, "{number}: {:?}", newest[number]);
    }
    let mut seen = BTreeSet::new();
    for version in versions(&stack) {
        let key = (version.tracking_number.clone(), version.version);
        assert!(seen.insert(key), "twice: {version:?}");
    }
    let unanswered = calls(&stack)
        .into_iter()
        .filter(|call| call.class == CallClass::Unknown)
        .count();
    assert!(unanswered > 0, "no answer was lost");
    subscribe.terminate(PATIENCE).unwrap();
}

#[test]
fn a13_a_stopped_account_is_tried_by_one_number_at_a_time_and_nothing_is_rejected() {
    let stack = migrated("subscribe-stopped");
    let vendors = Vendors::start();
    vendors.faults(&json!({"forced": [force("*", "601", None)]}));
    let mut subscribe = ready(&subscribe(&stack, &vendors), "subscribe", &stack);
    let numbers = numbers("YT13", 300);
    let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
    ask(&stack, &requests);
    wait_for(&stack, &numbers, SubscriptionState::Waiting);
    eventually("it says that the account is stopped", || {
        let answer = readyz(&subscribe)?;
        let told = &answer["parts"]["subscribe-0"]["degraded"]["kuaidi100/demo"];
        let is_told = told.as_str().is_some_and(|told| told.starts_with("601 "));
        if is_told && answer["ready"] == true {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    assert!(subscribe.is_ready());
    let stopped = "courierflow_subscribe_account_stopped{account=\"kuaidi100/demo\",reason=\"account\"}";
    assert_eq!(metric(&subscribe, stopped), Ok(1.0));
    // Those that were in flight when the first answer came, and a few tries.
    let calls = vendors.ledger("?totals")["total"]["calls"].as_u64().unwrap();
    assert!(calls < 100, "{calls}");
    vendors.faults(&json!({"forced": []}));
    wait_for(&stack, &numbers, SubscriptionState::Active);
    assert!(
        versions(&stack)
            .iter()
            .all(|version| version.state != SubscriptionState::Rejected)
    );
    assert_eq!(metric(&subscribe, stopped), Ok(0.0));
    subscribe.terminate(PATIENCE).unwrap();
}
