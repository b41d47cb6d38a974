//! Who asks: people over HTTP, files, other teams by record. Everything that was asked for is asked for once, and nobody is told a telephone
//! number.

use std::process::{Command, Output};

use courierflow_schemas::records::{CallClass, CallKind, Reason, SubscriptionState, Vendor};
use courierflow_schemas::topics::{ALL, SUBSCRIPTION_REQUEST};
use courierflow_tests::stack::{Launch, Server, Service, Stack, binary, repository};
use serde_json::{Value, json};

use super::records::{calls, force, newest, numbers, partition_of, wait_for};
use super::vendors::{CUSTOMER, Configuration, KEY, OTHERS, SALT, TOKEN, Vendors};
use crate::harness::post::{self, Answer, assert_success};
use crate::harness::vendors::{APP_CODE, BUSINESS_KEY, SEVENTEENTRACK_KEY};
use crate::harness::{
    agent, eventually, metric, migrated, processor, python, ready, tables, topics, wait_until_in_tables,
};
use crate::reconcile::asked::{AT_ONCE, reconcile, reconcile_ends};

/// Of whoever gets the parcels. Its last four digits may be kept.
const PHONE: &str = "13488888888";
const PARCELS: usize = 800;

/// Both services and the vendors.
struct World {
    ingest: Service,
    /// Where people ask.
    desk: String,
    processor: Service,
    config: String,
    vendors: Vendors,
    // The last field, so that services end before their servers.
    stack: Box<dyn Stack>,
}

impl World {
    fn start(name: &str) -> Self {
        let stack = migrated(name);
        let vendors = Vendors::start();
        let configuration = Configuration::new()
            .others()
            .set("workers", &2)
            .set("resubscribe_after_ms", &0)
            .set("resubscribe_jitter_ms", &0);
        let config = configuration.write(&stack, &vendors.url);
        let port = stack.reserve_port().unwrap();
        let desk = format!("127.0.0.1:{port}");
        let ingest = Launch::ingest()
            .config(&config)
            .env("COURIERFLOW__INGEST__SUBSCRIPTIONS__LISTEN", &desk);
        Self {
            ingest: ready(&ingest, "ingest", &stack),
            desk: format!("http://{desk}"),
            processor: ready(&processor("run", &stack).config(&config), "processor", &stack),
            config: config.display().to_string(),
            vendors,
            stack,
        }
    }

    fn ask(&self, body: &Value) -> Answer {
        let head = format!("Bearer {TOKEN}");
        let mut request = agent().post(format!("{}/v1/subscriptions", self.desk));
        request = request.header("authorization", head);
        let mut answer = request.send_json(body).unwrap();
        let retry_after = answer.headers().get("retry-after");
        Answer {
            retry_after: retry_after.map(|value| value.to_str().unwrap().to_owned()),
            status: answer.status().as_u16(),
            body: answer.body_mut().read_to_string().unwrap(),
        }
    }

    /// `processor subscriptions …`
    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary("processor").unwrap());
        command
            .arg("subscriptions")
            .args(arguments)
            .args(["--config", &self.config]);
        command.envs(self.stack.configuration()).current_dir(repository());
        command.output().unwrap()
    }

    /// What it prints if it succeeds.
    fn printed(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let file = self.stack.dir().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    }
}

#[test]
fn a1_a2_a3_a4_a5_a18_whatever_is_asked_for_is_asked_for_once_and_no_number_is_told() {
    let world = World::start("subscribe-asked");
    a1_a2(&world);
    a4(&world);
    a5_twice(&world);
    a5_only_open(&world);
    a5_requeue(&world);
    figures_of_workers(&world);
    a18(&world);
    a3_without_kafka(&world);
}

fn a1_a2(world: &World) {
    let number = "YT0000000000001";
    let item = |id: &str| json!({"tracking_number": number, "carrier": "yto", "phone": PHONE, "request_id": id});
    assert_eq!(world.ask(&item("r1")).status, 202);
    let active = wait_for(&world.stack, &[number.to_owned()], SubscriptionState::Active);
    assert_eq!((active[number].attempt, active[number].requester.as_str()), (1, "demo"));
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(world.ask(&item("r1")).status, 202));
        }
    });
    assert_eq!(world.ask(&item("r2")).status, 202);
    wait_for_outcomes(world, 21);
    assert_eq!(world.vendors.counted(number)["calls"], 1);
}

/// Requests that led to no call.
fn wait_for_outcomes(world: &World, number: usize) {
    let of = |outcome: &str| {
        metric(
            &world.processor,
            &format!("courierflow_subscribe_requests_total{{outcome=\"{outcome}\"}}"),
        )
    };
    eventually("all requests are counted", || {
        let counted = of("already")? + of("repeated")?;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        if counted >= number as f64 {
            Ok(())
        } else {
            Err(counted.to_string())
        }
    });
}

/// A stock client of another language.
fn a4(world: &World) {
    let numbers = numbers("YT4", 5);
    let now = jiff::Timestamp::now().as_microsecond();
    let request = |number: &String| {
        json!({
            "request_id": "py-1", "requester": "wms", "action": "SUBSCRIBE", "requested_at": now, "vendor": null, "account": null,
            "carrier": "yto", "tracking_number": number, "phone": "8888", "from": null, "to": null, "product": null,
            "international": null, "reference": null, "not_before": null, "force": false,
        })
    };
    let partitions = python::ask(&world.stack, &numbers.iter().map(request).collect::<Vec<_>>());
    let expected: Vec<i64> = numbers.iter().map(|number| partition_of(number).into()).collect();
    assert_eq!(partitions, expected, "each lies where its number belongs");
    let active = wait_for(&world.stack, &numbers, SubscriptionState::Active);
    assert!(numbers.iter().all(|number| active[number].requester == "wms"));
}

fn a5_twice(world: &World) {
    let numbers = numbers("YT5", PARCELS);
    let lines = |numbers: &[String]| -> String {
        let lines = numbers.iter().map(|number| format!("{number},yto,{PHONE}\n"));
        format!("tracking_number,carrier,phone\n{}", lines.collect::<String>())
    };
    // With a bad line nothing is asked.
    let before = topics::written(&world.stack, SUBSCRIPTION_REQUEST);
    let mut bad = lines(&numbers);
    bad.push_str("YT5,yto,\n");
    let output = world.command(&["load", &world.file("bad.csv", &bad)]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("line {}: ", PARCELS + 2)), "{told}");
    assert!(!told.contains(PHONE), "{told}");
    assert_eq!(topics::written(&world.stack, SUBSCRIPTION_REQUEST), before);

    let calls = world.vendors.calls();
    let file = world.file("800.csv", &lines(&numbers));
    for turn in 1..=2 {
        let printed = world.printed(&["load", &file, "--rate", "5000"]);
        assert_eq!(printed, format!("{PARCELS} asked for\n"));
        wait_for(&world.stack, &numbers, SubscriptionState::Active);
        wait_for_outcomes(world, 21 + (turn - 1) * PARCELS);
        assert_eq!(
            world.vendors.calls() - calls,
            PARCELS as u64,
            "after the file was loaded {turn} times"
        );
    }
    eventually("the table has all of them", || {
        let printed = world.printed(&[
            "list",
            "--state",
            "ACTIVE",
            "--account",
            "demo",
            "--json",
            "--limit",
            "5000",
        ]);
        let rows = printed.lines().filter(|line| line.contains("\"YT5"));
        match rows.count() {
            PARCELS => Ok(()),
            other => Err(other.to_string()),
        }
    });
}

/// A parcel that has arrived is left out.
fn a5_only_open(world: &World) {
    let (delivered, open) = ("YT5555550000001", "YT5555550000002");
    let payload = json!({"status": "shutdown", "lastResult": {"nu": delivered, "com": "yuantong", "state": "3", "ischeck": "1", "data": [
        {"context": "已签收", "ftime": "2026-08-02 10:00:00", "statusCode": "301"},
        {"context": "已揽收", "ftime": "2026-08-01 10:00:00", "statusCode": "103"},
    ]}});
    assert_success(
        Vendor::Kuaidi100,
        &post::kuaidi100(&world.ingest.url(), &payload.to_string()),
    );
    wait_until_in_tables(&world.stack);
    let file = world.file(
        "open.csv",
        &format!("tracking_number,carrier\n{delivered},yto\n{open},yto\n"),
    );
    let printed = world.printed(&["load", &file, "--only-open"]);
    assert_eq!(printed, "1 asked for\n1 left out: they have come to their end\n");
    wait_for(&world.stack, &[open.to_owned()], SubscriptionState::Active);
    assert!(!newest(&world.stack).contains_key(delivered));
}

/// What the vendor has refused is asked for again by force.
fn a5_requeue(world: &World) {
    let number = "YT5555550000003";
    world
        .vendors
        .faults(&json!({"forced": [force(number, "700", Some(1))]}));
    assert_eq!(
        world
            .ask(&json!({"tracking_number": number, "carrier": "yto", "request_id": "r1"}))
            .status,
        202
    );
    let rejected = wait_for(&world.stack, &[number.to_owned()], SubscriptionState::Rejected);
    assert_eq!(rejected[number].reason, Some(Reason::UnknownCarrier));
    let selection = ["--state", "REJECTED", "--code", "700"];
    eventually("the table has it", || {
        let printed = world.printed(&[&["list"], &selection[..]].concat());
        if printed.contains(number) { Ok(()) } else { Err(printed) }
    });
    let printed = world.printed(&[&["requeue"], &selection[..]].concat());
    assert_eq!(printed, "1 asked for again\n");
    let active = wait_for(&world.stack, &[number.to_owned()], SubscriptionState::Active);
    assert_eq!((active[number].round, active[number].requester.as_str()), (1, "cli"));
    assert_eq!(world.vendors.counted(number)["calls"], 2);
}

/// Each worker tells its own subscriptions; together they are all.
fn figures_of_workers(world: &World) {
    let newest = newest(&world.stack);
    let active = newest
        .values()
        .filter(|found| found.state == SubscriptionState::Active)
        .count();
    let of = |worker: &str| {
        let labels = "account=\"kuaidi100/demo\",state=\"ACTIVE\",worker=\"subscribe-";
        metric(
            &world.processor,
            &format!("courierflow_subscribe_subscriptions{{{labels}{worker}"),
        )
    };
    eventually("the gauges of both workers make all", || {
        let (all, first, second) = (of("")?, of("0")?, of("1")?);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        if (all - active as f64).abs() < 0.5 && first > 0.0 && second > 0.0 {
            Ok(())
        } else {
            Err(format!("{first} and {second} of {active}"))
        }
    });
}

/// Every other contract follows a parcel, too.
fn others_follow(world: &World) {
    let numbers = numbers("YT18", OTHERS.len());
    let contracts = numbers.iter().zip(OTHERS);
    let items: Vec<_> = contracts
        .map(|(number, (vendor, account, _))| {
            json!({
                "tracking_number": number, "carrier": "yto", "vendor": vendor, "account": account, "phone": PHONE,
                "request_id": "r1",
            })
        })
        .collect();
    let answer = world.ask(&Value::from(items));
    assert_eq!(answer.status, 202, "{}", answer.body);
    wait_for(&world.stack, &numbers, SubscriptionState::Active);
    let calls = calls(&world.stack);
    for (number, (_, _, api)) in numbers.iter().zip(OTHERS) {
        let called = calls.iter().find(|call| call.tracking_number == *number);
        assert_eq!(called.map(|call| call.api.as_str()), Some(api), "{number}");
    }
}

/// reconcile has asked every vendor about a parcel of which no push came, and goes on.
fn each_vendor_is_queried(world: &World) -> Service {
    let account = "daily_queries = 10\naudit_per_10000 = 0";
    let settings = format!("{AT_ONCE}repeats = 0\n");
    let launch = reconcile(&world.stack, &world.vendors, account, &settings);
    let reconcile = ready(&launch, "reconcile", &world.stack);
    eventually("each vendor has answered a query", || {
        let calls = calls(&world.stack);
        let is_answered = |vendor: Vendor| {
            calls.iter().any(|call| {
                call.kind == CallKind::Query
                    && call.vendor == vendor
                    && call.http_status.is_some()
                    && call.class != CallClass::Account
            })
        };
        match Vendor::ALL.into_iter().find(|vendor| !is_answered(*vendor)) {
            None => Ok(()),
            Some(vendor) => Err(format!("{vendor} has not")),
        }
    });
    reconcile
}

/// Keys, tokens and telephone numbers are on no topic, in no table, in no log and in no metric, whatever the contract is.
fn a18(world: &World) {
    others_follow(world);
    wait_until_in_tables(&world.stack);
    let reconcile = each_vendor_is_queried(world);
    wait_until_in_tables(&world.stack);
    let mut told: Vec<(String, Vec<u8>)> = Vec::new();
    for service in [&world.ingest, &world.processor, &reconcile] {
        let metrics = agent().get(format!("{}/metrics", service.url())).call();
        let metrics = metrics.unwrap().body_mut().read_to_string().unwrap();
        told.push((format!("{}/metrics", service.url()), metrics.into_bytes()));
        told.push((
            service.log_path().display().to_string(),
            service.log().unwrap().into_bytes(),
        ));
    }
    for topic in ALL {
        for record in topics::read(&world.stack, topic.name) {
            told.push((topic.name.to_owned(), record.value.unwrap_or_default()));
            told.push((
                topic.name.to_owned(),
                format!("{:?} {:?}", record.key, record.headers).into_bytes(),
            ));
        }
    }
    reconcile_ends(reconcile);
    let secrets = [
        KEY,
        CUSTOMER,
        SALT,
        APP_CODE,
        BUSINESS_KEY,
        SEVENTEENTRACK_KEY,
        TOKEN,
        PHONE,
    ];
    for secret in secrets {
        for (place, text) in &told {
            let has = text.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!has, "{secret} in {place}");
        }
    }
    let tables = "SELECT name FROM system.tables WHERE database = 'courier' AND engine LIKE '%MergeTree'";
    let tables = tables::rows(&world.stack, tables);
    assert!(tables.len() > 4, "{tables:?}");
    for table in tables {
        let table = table["name"].as_str().unwrap();
        let any = secrets
            .map(|secret| format!("position(toString(tuple(*)), '{secret}') > 0"))
            .join(" OR ");
        let found = tables::rows(
            &world.stack,
            &format!("SELECT count() AS n FROM courier.`{table}` WHERE {any}"),
        );
        assert_eq!(found[0]["n"], 0, "{table}");
    }
}

fn a3_without_kafka(world: &World) {
    world.stack.stop(Server::Kafka).unwrap();
    let answer = world.ask(&json!({"tracking_number": "YT3000000000001", "carrier": "yto", "request_id": "r1"}));
    assert_eq!(
        (answer.status, answer.retry_after.as_deref()),
        (503, Some("10")),
        "{}",
        answer.body
    );
    world.stack.start_server(Server::Kafka).unwrap();
    assert!(!newest(&world.stack).contains_key("YT3000000000001"));
}
