//! The dashboard: its API on the real ClickHouse, with parcels whose figures can be worked out by hand, and its page in a real
//! browser.

mod data;
pub(crate) mod described;
mod lists;
mod subscriptions;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use courierflow_processor::config::ClickHouseSettings;
use courierflow_processor::migrate::clickhouse::migrate_clickhouse;
use courierflow_schemas::carriers::Carriers;
use courierflow_tests::measures::{insert_shipments, shipment_at};
use courierflow_tests::stack::{self, Launch, Server, Service, Stack, repository};
use serde_json::{Value, json};

use self::data::{ODD_NUMBER, pickup_day, today};
use self::described::assert_described;
use crate::harness::sharing::{Sharing, Use};
use crate::harness::{agent, eventually, ready, readyz, tables};
use crate::metrics::change;

/// The dashboard alone, with only ClickHouse.
struct Dashboard {
    service: Service,
    // The last field, so that the service ends before its server.
    stack: Box<dyn Stack>,
}

impl Dashboard {
    fn start(name: &str, configure: impl FnOnce(Launch) -> Launch) -> Self {
        let stack = stack::start_with(name, &[Server::ClickHouse]).expect("ClickHouse starts");
        let service = ready(&configure(Launch::processor("dashboard")), "dashboard", &stack);
        Self { service, stack }
    }

    fn migrate(&self) {
        let settings = ClickHouseSettings {
            url: self.stack.clickhouse_url(),
            ..ClickHouseSettings::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime
            .unwrap()
            .block_on(migrate_clickhouse(&settings, Carriers::built_in()))
            .unwrap();
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let mut answer = agent().get(format!("{}{path}", self.service.url())).call().unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json().unwrap_or_default())
    }

    /// An answer of the API, which must be successful and match its description.
    fn ask(&self, path: &str, query: &str) -> Value {
        let (status, answer) = self.get(&format!("/api/v1/{path}?{query}"));
        assert_eq!(status, 200, "{path}?{query}: {answer}");
        let (_, description) = self.get("/api/v1/openapi.json");
        let operation = &description["paths"][format!("/api/v1/{path}")]["get"];
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        assert_described(&description, schema, &answer, path);
        answer
    }

    /// The code of a refusal and the parameter at fault.
    fn refusal(&self, path: &str) -> (u16, String, String) {
        let (status, answer) = self.get(path);
        let text = |name: &str| answer["error"][name].as_str().unwrap_or_default().to_owned();
        assert!(!text("message").is_empty(), "{path}: {answer}");
        for leaked in ["DB::Exception", "SELECT", "stack", "courier."] {
            assert!(!answer.to_string().contains(leaked), "{path}: {answer}");
        }
        (status, text("code"), text("field"))
    }
}

/// A name that is configured for it.
const OWN_NAME: &str = "carriers.example.com";

/// The dashboard that is shared by tests that break nothing.
static SHARED: Sharing<Dashboard> = Sharing::new();

fn shared() -> Use<Dashboard> {
    SHARED.get(|| {
        let names = format!(r#"["{OWN_NAME}",".svc.example"]"#);
        let dashboard = Dashboard::start("dashboard", |launch| {
            launch
                .env("COURIERFLOW__DASHBOARD__ALLOWED_HOSTS", names)
                // Somebody who waits is no test on a machine that does much else.
                .env("COURIERFLOW__DASHBOARD__QUERY_TIMEOUT_MS", "60000")
                .env("COURIERFLOW__SUBSCRIBE__ACCOUNTS", subscriptions::ACCOUNTS)
        });
        dashboard.migrate();
        data::insert(&dashboard.stack);
        subscriptions::insert(&dashboard.stack);
        dashboard
    })
}

fn days(from: i64, to: i64) -> String {
    let day = |after: i64| pickup_day().checked_add(jiff::Span::new().days(after)).unwrap();
    format!("from={}&to={}", day(from), day(to))
}

/// Some columns of some rows.
fn columns(rows: &Value, names: &[&str]) -> Vec<Value> {
    let row = |row: &Value| names.iter().map(|name| row[*name].clone()).collect();
    rows.as_array().expect("rows").iter().map(row).collect()
}

#[test]
fn the_league_table_counts_every_parcel_and_never_flatters() {
    let dashboard = shared();
    let answer = dashboard.ask("scorecard", &days(0, 0));
    assert_eq!(
        columns(
            &answer["rows"],
            &[
                "carrier",
                "parcels",
                "delivered",
                "sent_back",
                "open",
                "p50_hours",
                "p90_hours"
            ]
        ),
        [
            json!(["jt", 40, 20, 12, 8, 30, null]),
            json!(["sf", 40, 40, 0, 0, 20, 20]),
            json!(["zto", 40, 30, 0, 10, 50, null]),
        ]
    );
    let rates = [
        "rate_48h",
        "rate_72h",
        "on_time_rate",
        "exception_rate",
        "return_rate",
        "eta_hit_rate",
        "maturity",
        "on_time_maturity",
    ];
    assert_eq!(
        columns(&answer["rows"], &rates),
        [
            json!([0.5, 0.5, 0.7, 0.5, 0.3, null, 1, 1]),
            json!([1, 1, 1, 0, 0, 1, 1, 1]),
            json!([0, 0.75, 0.75, 0.75, 0, null, 1, 1]),
        ]
    );
    // 30 of 40: Wilson, worked out by hand.
    let zto = &answer["rows"][2];
    let near = |name: &str, expected: f64| {
        let actual = zto[name].as_f64().unwrap();
        assert!((actual - expected).abs() < 5e-5, "{name}: {actual}");
    };
    near("rate_72h_low", 0.5981);
    near("rate_72h_high", 0.8581);
}

#[test]
fn filters_choose_parcels() {
    let dashboard = shared();
    let carriers = |query: &str| {
        let answer = dashboard.ask("scorecard", &format!("{}&{query}", days(0, 0)));
        let mut carriers: Vec<String> = columns(&answer["rows"], &["carrier"])
            .iter()
            .map(|row| row[0].as_str().unwrap().to_owned())
            .collect();
        carriers.sort();
        carriers.join(" ")
    };
    for (query, expected) in [
        ("", "jt sf zto"),
        ("carrier=sf", "sf"),
        ("carrier=SF,jt", "jt sf"),
        ("vendor=kdniao", "jt"),
        ("origin=CN44", "sf zto"),
        ("origin=CN44&dest=CN31", "sf zto"),
        ("dest=CN44", "jt"),
        ("origin=CN31&dest=CN44", ""),
        ("origin=CN440305000000&vendor=kuaidi100&carrier=zto", "zto"),
    ] {
        assert_eq!(carriers(query), expected, "{query}");
    }
    assert_eq!(
        columns(&dashboard.ask("scorecard", &days(1, 5))["rows"], &["carrier"]),
        [] as [Value; 0],
        "nothing was picked up on those days"
    );
}

#[test]
fn an_empty_answer_says_what_was_asked_for() {
    let dashboard = shared();
    let explanation = |query: &str| {
        let answer = dashboard.ask("scorecard", query);
        answer["explanation"].as_str().unwrap().to_owned()
    };
    let unknown = explanation("carrier=nosuch");
    assert!(
        unknown.contains("carrier nosuch (not in the list of known carriers)"),
        "{unknown}"
    );
    assert!(!explanation("carrier=ups").contains("not in the list"));
    let lane = explanation("origin=CN54&dest=CN82");
    assert!(
        lane.contains("origin CN54") && lane.contains("destination CN82"),
        "{lane}"
    );
    assert_eq!(dashboard.ask("scorecard", &days(0, 0))["explanation"], Value::Null);
    // Parcels without exceptions are reported as such, not as "nothing".
    let faultless = dashboard.ask("exceptions", &format!("{}&carrier=sf", days(0, 0)));
    assert_eq!(faultless["cohort"], json!([{ "parcels": 40, "settled": 40 }]));
    let told = faultless["explanation"].as_str().unwrap();
    assert!(
        told.starts_with(
            "there are no exceptions within 7 days of the pickup among 40 settled parcels (40 in all) for pick-up"
        ),
        "{told}"
    );
    let nobody = dashboard.ask("exceptions", &format!("{}&carrier=sf", days(1, 5)));
    assert_eq!(nobody["cohort"], json!([]));
    assert!(nobody["explanation"].as_str().unwrap().starts_with("there is nothing"));
    let parcel = dashboard.ask("parcel", "number=NOSUCH1");
    assert_eq!(parcel["explanation"], "there is nothing for number NOSUCH1");
}

#[test]
fn a_trend_is_made_of_the_week_up_to_each_day() {
    let dashboard = shared();
    let answer = dashboard.ask("trend", &format!("{}&carrier=sf,zto", days(-1, 7)));
    let found = columns(
        &answer["rows"],
        &["day", "carrier", "parcels", "transit_parcels", "p50_hours", "rate_72h"],
    );
    let mut expected = Vec::new();
    for (carrier, p50, rate) in [("sf", json!(20), json!(1)), ("zto", json!(50), json!(0.75))] {
        for after in 0..7 {
            let day = pickup_day().checked_add(jiff::Span::new().days(after)).unwrap();
            let parcels = if after == 0 { 40 } else { 0 };
            expected.push(json!([day.to_string(), carrier, parcels, 40, p50, rate]));
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn short_promises_alone_are_no_trend() {
    let dashboard = shared();
    let young = format!("from={}&to={}&carrier=yto", pickup_day(), today());
    let judged = ["sla_due", "on_time_maturity", "on_time_rate"];
    let scorecard = dashboard.ask("scorecard", &young);
    // The view returns the figure, and says that it should not be shown.
    assert_eq!(columns(&scorecard["rows"], &judged), [json!([40, 0.5, 1])]);
    assert_eq!(scorecard["rows"][0]["is_on_time_mature"], false);
    let lanes = dashboard.ask("lanes", &young);
    assert_eq!(
        columns(&lanes["rows"], &["dest", "on_time_maturity"]),
        [json!(["CN31", 1]), json!(["CN44", 0])]
    );
    for day in columns(&dashboard.ask("trend", &young)["rows"], &judged) {
        assert_eq!(day, json!([40, 0.5, null]));
    }
}

#[test]
fn a_distribution_ends_where_the_carrier_ended() {
    let dashboard = shared();
    let answer = dashboard.ask("transit", &days(0, 0));
    assert_eq!(
        columns(
            &answer["rows"],
            &["carrier", "hours", "parcels", "transit_parcels", "delivered_share"]
        ),
        [
            json!(["jt", 30, 20, 40, 0.5]),
            json!(["sf", 20, 40, 40, 1]),
            json!(["zto", 50, 30, 40, 0.75]),
        ]
    );
}

#[test]
fn lockers_and_stations_by_carrier() {
    let dashboard = shared();
    let answer = dashboard.ask("scorecard", &days(0, 0));
    assert_eq!(
        columns(
            &answer["rows"],
            &[
                "carrier",
                "settled_reached",
                "locker_share",
                "locker_parcels",
                "locker_p50_hours",
                "locker_overdue_rate"
            ]
        ),
        [
            json!(["jt", 20, 0, 0, null, null]),
            json!(["sf", 40, 0, 0, null, null]),
            json!(["zto", 30, 1, 30, 1, 0]),
        ]
    );
}

#[test]
fn exceptions_by_code_day_reason_and_party() {
    let dashboard = shared();
    let answer = dashboard.ask("exceptions", &days(0, 0));
    assert_eq!(
        columns(
            &answer["codes"],
            &[
                "vendor",
                "name",
                "settled_with",
                "settled",
                "rate",
                "resolve_parcels",
                "resolve_p50_hours"
            ]
        ),
        [
            json!(["kuaidi100", "204", 30, 80, 0.375, 30, 2]),
            json!(["kdniao", "404", 12, 40, 0.3, 12, 50]),
            json!(["kdniao", "405", 8, 40, 0.2, 8, null]),
        ]
    );
    let day = pickup_day().to_string();
    assert_eq!(
        columns(
            &answer["days"],
            &["day", "vendor", "name", "settled_with", "settled", "rate"]
        ),
        [
            json!([day, "kdniao", "404", 12, 120, 0.1]),
            json!([day, "kdniao", "405", 8, 120, 8.0 / 120.0]),
            json!([day, "kuaidi100", "204", 30, 120, 0.25]),
        ]
    );
    assert_eq!(
        columns(
            &answer["rates"],
            &["kind", "carrier", "name", "settled_with", "settled", "rate"]
        ),
        [
            json!(["party", "jt", "consignee", 12, 40, 0.3]),
            json!(["party", "jt", "carrier", 8, 40, 0.2]),
            json!(["party", "zto", "carrier", 30, 40, 0.75]),
            json!(["reason", "jt", "REFUSED", 12, 40, 0.3]),
            json!(["reason", "jt", "DELIVERY_FAILED", 8, 40, 0.2]),
            json!(["reason", "zto", "DELIVERY_FAILED", 30, 40, 0.75]),
        ]
    );
}

#[test]
fn lanes_go_from_province_to_province() {
    let dashboard = shared();
    let lanes = |query: &str| {
        let answer = dashboard.ask("lanes", &format!("{}&{query}", days(0, 0)));
        columns(
            &answer["rows"],
            &["origin", "dest", "parcels", "p50_hours", "on_time_rate"],
        )
    };
    let jt = json!(["CN33", "CN44", 40, 30, 0.7]);
    assert_eq!(lanes(""), [json!(["CN44", "CN31", 80, 20, 0.875]), jt.clone()]);
    assert_eq!(lanes("carrier=sf"), [json!(["CN44", "CN31", 40, 20, 1])]);
    assert_eq!(lanes("carrier=sf,jt"), [jt.clone(), json!(["CN44", "CN31", 40, 20, 1])]);
    assert_eq!(lanes("dest=CN44"), [jt]);
}

#[test]
fn parcels_to_act_on() {
    let dashboard = shared();
    let open = dashboard.ask("open-exceptions", "limit=3");
    assert_eq!(
        columns(&open["rows"], &["carrier", "reason", "party"]),
        vec![json!(["jt", "DELIVERY_FAILED", "carrier"]); 3]
    );
    assert_eq!(
        columns(&open["counts"], &["carrier", "reason", "party", "parcels"]),
        [json!(["jt", "DELIVERY_FAILED", "carrier", 8])]
    );
    let stalled = dashboard.ask("stalled", "");
    assert_eq!(
        columns(&stalled["counts"], &["carrier", "status", "parcels"]),
        [json!(["zto", "IN_TRANSIT", 10]), json!(["jt", "EXCEPTION", 8])]
    );
    assert_eq!(stalled["rows"].as_array().unwrap().len(), 18);
    // The most overdue come first.
    assert_eq!(stalled["rows"][0]["carrier"], "zto");
    assert_eq!(
        dashboard.ask("stalled", "origin=CN33")["counts"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn one_parcel_and_what_happened_to_it() {
    let dashboard = shared();
    let answer = dashboard.ask("parcel", "number=zto1000");
    assert_eq!(
        columns(
            &answer["rows"],
            &["tracking_number", "carrier", "status", "exception_codes", "attempts"]
        ),
        [json!(["ZTO1000", "zto", "DELIVERED", ["204"], 2])]
    );
    assert_eq!(
        columns(&answer["timeline"], &["to_status", "raw_code", "dwell_hours"]),
        [
            json!(["PICKED_UP", "103", null]),
            json!(["OUT_FOR_DELIVERY", "5", 46]),
            json!(["EXCEPTION", "204", 1]),
            json!(["OUT_FOR_DELIVERY", "5", 2]),
            json!(["DELIVERED", "302", 1]),
        ]
    );
    assert_eq!(answer["rows"][0]["events"][2]["context"], "【深圳】 DELIVERY_FAILED");

    // Quotes and a backslash are part of the number, in lower case as well.
    let quoted: String = form_urlencoded::byte_serialize(ODD_NUMBER.to_lowercase().as_bytes()).collect();
    let answer = dashboard.ask("parcel", &format!("number={quoted}"));
    assert_eq!(columns(&answer["rows"], &["tracking_number"]), [json!([ODD_NUMBER])]);
    assert_eq!(answer["timeline"].as_array().unwrap().len(), 2);
    assert_eq!(
        dashboard.ask("parcel", &format!("number={quoted}&carrier=sf"))["rows"],
        json!([])
    );
}

/// Each is shown beside the whole that it is a part of, and of how many parcels it is known.
#[test]
fn stages_are_told_with_their_parcels_and_the_whole() {
    let dashboard = shared();
    let answer = dashboard.ask("scorecard", &days(0, 0));
    let names = [
        "carrier",
        "settled_attempted",
        "settled_attempt_hours",
        "linehaul_parcels",
        "linehaul_hours",
        "last_mile_parcels",
        "last_mile_hours",
    ];
    assert_eq!(
        columns(&answer["rows"], &names),
        [
            // 20 after 30 h, 8 after 26 h, of which only these were seen to go out.
            json!(["jt", 28, (20.0 * 30.0 + 8.0 * 26.0) / 28.0, 0, null, 8, 1]),
            json!(["sf", 40, 20, 0, null, 40, 2]),
            json!(["zto", 30, 47, 0, null, 30, 1]),
        ]
    );
}

#[test]
fn a_carrier_that_is_worse_is_told_and_counted() {
    let mut dashboard = Dashboard::start("dashboard-changes", |launch| launch);
    dashboard.migrate();
    change::insert_one(&dashboard.stack);
    let answer = dashboard.ask("performance-changes", "carrier=yto,sto");
    assert_eq!(
        columns(
            &answer["rows"],
            &["level", "carrier", "measure", "value_before", "value", "is_worse"]
        ),
        [json!(["carrier", "yto", "on_time_rate", 0.9, 0.8, true])]
    );
    assert_eq!(
        columns(&answer["counts"], &["level", "tested", "changed"]),
        [json!(["carrier", 1, 1])]
    );
    let other = dashboard.ask("performance-changes", "carrier=sto");
    assert_eq!(other["rows"], json!([]));
    assert!(other["explanation"].as_str().unwrap().contains("sto"), "{other}");

    // It looks at the start, and then every few minutes.
    dashboard.service.kill().unwrap();
    dashboard.service.restart().unwrap();
    let series =
        r#"courierflow_performance_changes{level="carrier",carrier="yto",measure="on_time_rate",direction="worse"} 1"#;
    eventually("the metric tells it", || {
        let answer = agent().get(format!("{}/metrics", dashboard.service.url())).call();
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        let text = text.map_err(|error| error.to_string())?;
        text.lines().any(|line| line == series).then_some(()).ok_or(text)
    });
}

#[test]
fn provinces_are_origins_and_destinations() {
    let dashboard = shared();
    let names = ["side", "province", "parcels", "p50_hours", "rate_72h"];
    let provinces = |query: &str| {
        let answer = dashboard.ask("provinces", &format!("{}&{query}", days(0, 0)));
        columns(&answer["rows"], &names)
    };
    assert_eq!(
        provinces(""),
        [
            json!(["dest", "CN31", 80, 20, 0.875]),
            json!(["dest", "CN44", 40, 30, 0.5]),
            json!(["origin", "CN44", 80, 20, 0.875]),
            json!(["origin", "CN33", 40, 30, 0.5]),
        ]
    );
    assert_eq!(
        provinces("origin=CN33"),
        [
            json!(["dest", "CN44", 40, 30, 0.5]),
            json!(["origin", "CN33", 40, 30, 0.5])
        ]
    );
}

#[test]
fn a_parcel_is_judged_by_its_promise_and_its_estimate() {
    let dashboard = shared();
    let judged = |number: &str| {
        let number: String = form_urlencoded::byte_serialize(number.as_bytes()).collect();
        let answer = dashboard.ask("parcel", &format!("number={number}"));
        let names = ["promised_hours", "is_standard", "promise_verdict", "estimate_verdict"];
        columns(&answer["promises"], &names)
    };
    for (number, expected) in [
        ("SF0000", json!([72, true, "KEPT", "KEPT"])),
        ("ZTO1000", json!([72, true, "KEPT", null])),
        // Nothing was heard of it for longer than was promised.
        ("ZTO2000", json!([72, true, "MISSED", null])),
        // Back with its sender, without an attempt.
        ("JT4000", json!([72, true, "MISSED", null])),
        // Within a city.
        ("YTO6000", json!([24, true, "KEPT", null])),
        (ODD_NUMBER, json!([48, false, "OPEN", null])),
    ] {
        assert_eq!(judged(number), [expected], "{number}");
    }
}

#[test]
fn a_parcel_is_judged_by_working_days() {
    let dashboard = Dashboard::start("dashboard-working-days", |launch| launch);
    dashboard.migrate();
    // Thursday and Friday are free after Wednesday, the 3rd of January 2024.
    tables::execute(
        &dashboard.stack,
        "INSERT INTO courier.calendar (country, date, is_working) VALUES ('CN', '2024-01-04', 0), ('CN', '2024-01-05', 0)",
    );
    tables::execute(
        &dashboard.stack,
        "INSERT INTO courier.sla_promise (carrier, hours, working_days, cutoff) VALUES ('sf', 0, 1, 1080), ('zto', 0, 0, 1440), \
         ('', 24, NULL, 1440)",
    );
    let mut parcels = Vec::new();
    for (carrier, number, attempted_at) in [
        ("sf", "KEPT", 1_704_729_599),
        ("sf", "MISSED", 1_704_729_600),
        ("zto", "SAME", 1_704_290_000),
        ("jt", "HOURS", 1_704_290_000),
    ] {
        // 17:30 in China.
        let picked_up_at = 1_704_274_200;
        let mut row = shipment_at(carrier, number, picked_up_at);
        row.picked_up_at = Some(picked_up_at);
        row.first_attempt_at = Some(attempted_at);
        parcels.push(row);
    }
    tables::execute(&dashboard.stack, &insert_shipments("courier", &parcels));
    for (number, expected) in [
        ("KEPT", json!([null, 1, "18:00", "2024-01-08T15:59:59Z", false, "KEPT"])),
        (
            "MISSED",
            json!([null, 1, "18:00", "2024-01-08T15:59:59Z", false, "MISSED"]),
        ),
        ("SAME", json!([null, 0, null, "2024-01-03T15:59:59Z", false, "KEPT"])),
        ("HOURS", json!([24, null, null, "2024-01-04T09:30:00Z", false, "KEPT"])),
    ] {
        let answer = dashboard.ask("parcel", &format!("number={number}"));
        let names = [
            "promised_hours",
            "promised_working_days",
            "promised_cutoff",
            "promised_until",
            "is_standard",
            "promise_verdict",
        ];
        assert_eq!(columns(&answer["promises"], &names), [expected], "{number}");
    }
}

#[test]
fn where_the_texts_of_the_pushes_lie() {
    let dashboard = shared();
    let pushes = |query: &str| {
        let names = ["vendor", "origin", "topic", "partition", "offset"];
        columns(&dashboard.ask("pushes", query)["rows"], &names)
    };
    assert_eq!(
        pushes("number=sf3"),
        [json!(["kuaidi100", "PUSH", "courier.push.v1", 0, 3])]
    );
    assert_eq!(
        pushes("number=SF7"),
        [json!(["kdniao", "QUERY", "courier.push.v1", 0, 7])]
    );
    assert_eq!(pushes("number=SF3&carrier=jt"), [] as [Value; 0]);
}

#[test]
fn what_came_in_and_how_good_it_is() {
    let dashboard = shared();
    let answer = dashboard.ask("pipeline", "");
    assert_eq!(
        columns(&answer["vendors"], &["vendor", "last_hour", "last_day"]),
        [json!(["kdniao", 2, 2]), json!(["kuaidi100", 5, 5])]
    );
    let pushes = |vendor: &str| -> u64 {
        let rows = answer["hours"].as_array().unwrap().iter();
        rows.filter(|row| row["vendor"] == vendor)
            .map(|row| row["pushes"].as_u64().unwrap())
            .sum()
    };
    assert_eq!((pushes("kuaidi100"), pushes("kdniao")), (5, 2));

    let quality = dashboard.ask("quality", &format!("from={}&to={}", pickup_day(), today()));
    assert_eq!(
        columns(&quality["rows"], &["vendor", "shipments", "pushes"]),
        [json!(["kdniao", 40, 2]), json!(["kuaidi100", 161, 5])]
    );
    let wording = dashboard.ask("unknown-wording", "carrier=nobody");
    assert_eq!(
        columns(&wording["rows"], &["kind", "wording", "parcels", "last_parcel"])[0],
        json!(["carrier", "nobody", 1, ODD_NUMBER])
    );

    let catalog = dashboard.ask("catalog", "");
    assert_eq!(catalog["max_days"], 400);
    let process = dashboard.ask("process", "");
    assert_eq!(process["samples"], json!([]));
    assert_eq!(
        process["readiness"],
        json!({ "ready": true, "parts": { "dashboard": { "ready": true } } })
    );
}

#[test]
fn bad_questions_get_a_clear_answer() {
    let dashboard = shared();
    let long = "9".repeat(2_000);
    for (path, status, code, field) in [
        ("scorecard?from=2026-02-02&to=2026-02-01", 400, "reversed_dates", "from"),
        ("scorecard?from=2016-01-01&to=2026-01-01", 400, "too_many_days", "from"),
        ("trend?from=9999-99-99", 400, "bad_date", "from"),
        ("trend?to=1e9", 400, "bad_date", "to"),
        ("lanes?origin=CN00", 400, "unknown_province", "origin"),
        ("lanes?dest=%27%20OR%201=1", 400, "unknown_province", "dest"),
        ("exceptions?vendor=ups", 400, "unknown_vendor", "vendor"),
        ("stalled?limit=100000", 400, "bad_limit", "limit"),
        ("stalled?from=2026-01-01", 400, "bad_parameter", "from"),
        ("pipeline?carrier=sf", 400, "bad_parameter", "carrier"),
        ("scorecard?query=SELECT%201", 400, "unknown_parameter", "query"),
        ("scorecard?carrier=sf&carrier=zto", 400, "bad_parameter", "carrier"),
        ("parcel", 400, "missing_parameter", "number"),
        (&format!("parcel?number={long}"), 400, "bad_number", "number"),
        ("parcel?number=%00", 400, "bad_number", "number"),
        ("pushes", 400, "missing_parameter", "number"),
        ("pushes?number=1&from=2026-01-01", 400, "bad_parameter", "from"),
        ("parcel?number=%ff%fe", 200, "", ""),
        ("subscriptions?attention=lost", 400, "unknown_attention", "attention"),
        ("subscriptions?account=a%20b", 400, "bad_account", "account"),
        ("subscriptions?limit=501", 400, "bad_limit", "limit"),
        ("subscriptions?number=1", 400, "bad_parameter", "number"),
        ("subscription", 400, "missing_parameter", "number"),
        ("subscription?number=1&carrier=sf", 400, "bad_parameter", "carrier"),
        ("vendor-calls", 400, "missing_parameter", "number"),
        ("vendor-calls?number=1&limit=0", 400, "bad_limit", "limit"),
        ("vendor-answers?from=2016-01-01", 400, "too_many_days", "from"),
        ("coverage?from=2026-01-01", 400, "bad_parameter", "from"),
        ("coverage?vendor=ups", 400, "unknown_vendor", "vendor"),
        ("quota?account=%27", 400, "bad_account", "account"),
        ("cost?attention=QUOTA", 400, "bad_parameter", "attention"),
        ("completeness?account=web", 400, "bad_parameter", "account"),
        ("parcels?figure=all", 400, "unknown_figure", "figure"),
        ("parcels?status=LOST", 400, "unknown_status", "status"),
        ("parcels?reason=REFUSED&code=204", 400, "bad_parameter", "reason"),
        ("parcels?party=%00", 400, "bad_exception", "party"),
        ("parcels?cursor=2", 400, "bad_cursor", "cursor"),
        ("parcels?limit=501", 400, "bad_limit", "limit"),
        ("parcels?table=rows", 400, "bad_parameter", "table"),
        ("stalled?reason=REFUSED", 400, "bad_parameter", "reason"),
        ("exceptions?table=codes", 400, "bad_parameter", "table"),
        ("nosuch", 404, "unknown_path", ""),
    ] {
        let path = format!("/api/v1/{path}");
        if status == 200 {
            assert_eq!(dashboard.get(&path).0, 200, "{path}");
            continue;
        }
        assert_eq!(
            dashboard.refusal(&path),
            (status, code.to_owned(), field.to_owned()),
            "{path}"
        );
    }
    let answer = agent()
        .post(format!("{}/api/v1/scorecard", dashboard.service.url()))
        .send("SELECT 1");
    assert_eq!(answer.unwrap().status(), 405);
}

#[test]
fn no_value_becomes_sql() {
    let dashboard = shared();
    // Not the time of the refresh, because there is one every ten minutes.
    let figures = || {
        columns(
            &dashboard.ask("scorecard", &days(0, 0))["rows"],
            &["carrier", "parcels", "delivered", "p50_hours"],
        )
    };
    let before = figures();
    for attempt in [
        "'; DROP TABLE courier.shipment; --",
        "' OR '1'='1",
        "sf') OR (1=1",
        "\\' OR 1=1 --",
        "{from:Date}",
        "sf\u{2019} OR 1=1",
        "]) OR 1 IN ([1",
        "x' UNION ALL SELECT * FROM system.users --",
        "1) FORMAT CSV --",
        "\\N",
        "%27 OR 1=1",
    ] {
        let value: String = form_urlencoded::byte_serialize(attempt.as_bytes()).collect();
        for (path, name) in [
            ("scorecard", "carrier"),
            ("trend", "carrier"),
            ("transit", "carrier"),
            ("exceptions", "carrier"),
            ("lanes", "carrier"),
            ("open-exceptions", "carrier"),
            ("stalled", "carrier"),
            ("quality", "carrier"),
            ("parcel", "number"),
            ("subscription", "number"),
            ("vendor-calls", "number"),
            ("subscriptions", "carrier"),
            ("cost", "carrier"),
            ("completeness", "carrier"),
            ("parcels", "carrier"),
            ("parcels", "reason"),
            ("unknown-wording", "carrier"),
            ("annotations", "carrier"),
            ("performance-changes", "carrier"),
            ("provinces", "carrier"),
            ("pushes", "number"),
        ] {
            let answer = dashboard.ask(path, &format!("{name}={value}"));
            assert!(answer["explanation"].is_string(), "{path}?{name}={attempt}: {answer}");
        }
    }
    assert_eq!(figures(), before);
}

#[test]
fn nobody_may_correct_a_parcel_where_nobody_is_named() {
    let dashboard = shared();
    let body = br#"{"number": "ZTO1000", "kind": "LOST", "reason": "x"}"#;
    let header = [("Authorization", "Bearer 0123456789abcdef0123456789abcdef")];
    let answer =
        crate::harness::post::post_with(&dashboard.service.url(), "/api/v1/annotations", &header, body).unwrap();
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["error"]["code"], "not_configured");
}

/// Whatever a request could be tricked into, the dashboard's user can only read the tables.
#[test]
fn the_user_of_the_dashboard_can_only_read() {
    let dashboard = shared();
    let as_user = |sql: &str| {
        let url = format!("{}/?user=dashboard&database=courier", dashboard.stack.clickhouse_url());
        let mut answer = agent().post(url).send(sql).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    assert_eq!(as_user("SELECT count() FROM shipment").1.trim(), "211");
    for forbidden in [
        "INSERT INTO push (vendor) VALUES ('x')",
        "ALTER TABLE shipment DELETE WHERE 1",
        "ALTER TABLE shipment ADD COLUMN x UInt8",
        "TRUNCATE TABLE shipment",
        "DROP TABLE shipment",
        "DROP DATABASE courier",
        "CREATE TABLE x (a UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE x (a UInt8)",
        "CREATE USER x",
        "GRANT ALL ON *.* TO dashboard",
        "OPTIMIZE TABLE shipment",
        "SYSTEM REFRESH VIEW carrier_daily_recent_refresh",
        "SYSTEM SHUTDOWN",
        "KILL QUERY WHERE 1",
        "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')",
        "SELECT * FROM file('/etc/passwd', CSV, 'a String')",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
        "SELECT * FROM system.users",
        "SELECT 1 INTO OUTFILE '/tmp/courierflow-outfile'",
    ] {
        let (status, text) = as_user(forbidden);
        assert_ne!(status, 200, "{forbidden}: {text}");
        // 497 ACCESS_DENIED; INTO OUTFILE is not for the server at all.
        assert!(
            text.contains("Code: 497") || forbidden.contains("OUTFILE"),
            "{forbidden}: {text}"
        );
    }
    assert_eq!(as_user("SELECT count() FROM shipment").1.trim(), "211");
}

/// The page and its files, as a browser gets them.
#[test]
fn the_page_is_part_of_the_program() {
    let dashboard = shared();
    let get = |path: &str, coding: &str| {
        let request = agent().get(format!("{}{path}", dashboard.service.url()));
        request.header("accept-encoding", coding).call().unwrap()
    };
    for view in [
        "/",
        "/transit",
        "/exceptions",
        "/lanes",
        "/attention",
        "/parcels",
        "/subscriptions",
        "/parcel",
        "/pipeline",
    ] {
        let mut page = get(view, "identity");
        assert_eq!(page.status(), 200, "{view}");
        assert_eq!(page.headers()["cache-control"], "no-cache");
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("script-src 'self'"),
            "{policy}"
        );
        let text = page.body_mut().read_to_string().unwrap();
        assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
        let script = text.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
        let script = get(&format!("/{script}"), "gzip");
        assert_eq!(script.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    }
    assert_eq!(get("/api/v1/catalog", "gzip").headers()["content-encoding"], "gzip");
    assert_eq!(get("/assets/nosuch.js", "gzip").status(), 404);
    assert_eq!(get("/assets/..%2findex.html", "gzip").status(), 404);
    // An unknown address gets the page, which says so.
    let mut nowhere = get("/nosuch", "identity");
    assert_eq!(nowhere.status(), 404);
    assert!(
        nowhere
            .body_mut()
            .read_to_string()
            .unwrap()
            .contains("<title>courierflow</title>")
    );
    // Below a view there is nothing: one is led to it.
    assert_eq!(get("/transit/of/nothing", "identity").status(), 200);
    assert_eq!(get("/transit/", "identity").status(), 200);
    assert_eq!(get("/a/b", "identity").status(), 404);
    assert_eq!(get("/api", "identity").status(), 404);
    assert_eq!(get("/livez", "gzip").status(), 200);
    assert_eq!(get("/metrics", "gzip").status(), 200);
}

/// A page of another site may let its own name point to this server, but the browser then says that name.
#[test]
fn only_its_own_names_get_an_answer() {
    let dashboard = shared();
    let get = |path: &str, host: &str| {
        let request = agent().get(format!("{}{path}", dashboard.service.url()));
        request.header("host", host).call().unwrap()
    };
    let paths = [
        "/",
        "/favicon.svg",
        "/api/v1/catalog",
        "/api/v1/scorecard",
        "/api/v1/parcel?number=X",
        "/api/v1/nosuch",
    ];
    for path in paths {
        for host in [
            "evil.example",
            "evil.example:8081",
            "127.0.0.1.evil.example",
            "processor",
        ] {
            let mut answer = get(path, host);
            assert_eq!(answer.status(), 421, "{host}{path}");
            let body: Value = answer.body_mut().read_json().unwrap();
            assert_eq!(body["error"]["code"], "unknown_host");
            let message = body["error"]["message"].as_str().unwrap();
            assert!(
                message.contains(host) && message.contains("dashboard.allowed_hosts"),
                "{message}"
            );
        }
        for host in [
            "127.0.0.1:8081",
            "localhost",
            "10.1.2.3",
            "[::1]:80",
            OWN_NAME,
            "x.svc.example:8081",
        ] {
            assert_ne!(get(path, host).status(), 421, "{host}{path}");
        }
    }
    // An orchestrator asks under the address of a pod or the name of a service.
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(get(path, "processor.courier.svc").status(), 200, "{path}");
    }
}

/// No request waits forever, each answer has a reason, and the process stays up.
#[test]
fn what_the_database_cannot_answer_is_said() {
    let impatient = |launch: Launch| launch.env("COURIERFLOW__DASHBOARD__QUERY_TIMEOUT_MS", "1000");
    let dashboard = Dashboard::start("dashboard-errors", impatient);
    let refused = |path: &str| {
        let (status, code, _) = dashboard.refusal(&format!("/api/v1/{path}"));
        (status, code)
    };
    let unavailable = |code: &str| (503, code.to_owned());
    // No tables. ClickHouse does not tell a user whether other things exist.
    assert!(["not_migrated", "refused"].contains(&refused("stalled").1.as_str()));
    tables::execute(&dashboard.stack, "CREATE DATABASE courier");
    assert!(["not_migrated", "refused"].contains(&refused("stalled").1.as_str()));
    dashboard.migrate();
    assert_eq!(dashboard.get("/api/v1/stalled").0, 200);

    // No such user.
    let stranger = Launch::processor("dashboard").env("COURIERFLOW__DASHBOARD__CLICKHOUSE_USER", "stranger");
    let stranger = ready(&stranger, "stranger", &dashboard.stack);
    let answer = agent().get(format!("{}/api/v1/stalled", stranger.url())).call();
    let answer: Value = answer.unwrap().body_mut().read_json().unwrap();
    assert_eq!(answer["error"]["code"], "refused", "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().contains("stranger"));

    // A statement that takes too long is cancelled by the server itself.
    tables::execute(
        &dashboard.stack,
        "CREATE OR REPLACE VIEW courier.stalled_shipments AS
         SELECT 'sf' AS carrier, 'kdniao' AS vendor, '' AS origin, '' AS dest, 'x' AS tracking_number, 'LOST' AS status,
                toFloat64(sleepEachRow(0.1)) AS silent_hours, 0. AS limit_hours
         FROM numbers(3000) SETTINGS max_block_size = 1",
    );
    let started = Instant::now();
    assert_eq!(refused("stalled"), (504, "too_slow".to_owned()));
    assert!(started.elapsed() < Duration::from_secs(30));

    // Connected, but without an answer.
    dashboard.stack.freeze(Server::ClickHouse).unwrap();
    assert_eq!(refused("open-exceptions"), (504, "too_slow".to_owned()));
    dashboard.stack.thaw(Server::ClickHouse).unwrap();

    // ClickHouse is gone. The page is still served, and the process stays ready.
    dashboard.stack.kill(Server::ClickHouse).unwrap();
    assert_eq!(refused("open-exceptions"), unavailable("database_down"));
    assert!(dashboard.service.is_ready());
    assert_eq!(
        readyz(&dashboard.service).unwrap(),
        json!({ "ready": true, "parts": { "dashboard": { "ready": true } } })
    );
    assert_eq!(
        agent()
            .get(format!("{}/", dashboard.service.url()))
            .call()
            .unwrap()
            .status(),
        200
    );
    dashboard.stack.start_server(Server::ClickHouse).unwrap();
    eventually("the figures are back", || {
        match dashboard.get("/api/v1/open-exceptions") {
            (200, _) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

/// `processor run` includes the dashboard, and then the page shows the progress of derive and sink.
#[test]
fn it_is_part_of_the_whole_processor() {
    let stack = crate::harness::shared();
    let url = stack.processor.url();
    assert_eq!(agent().get(format!("{url}/")).call().unwrap().status(), 200);
    let samples = || -> Vec<Value> {
        let answer = agent().get(format!("{url}/api/v1/process")).call();
        let answer: Value = answer.unwrap().body_mut().read_json().unwrap();
        answer["samples"].as_array().unwrap().clone()
    };
    for name in ["courierflow_derive_lag_records", "courierflow_sink_lag_records"] {
        eventually(&format!("{name} is shown"), || {
            let samples = samples();
            let found = samples.iter().any(|sample| sample["name"] == name);
            if found { Ok(()) } else { Err(format!("{samples:?}")) }
        });
    }
    let answer = agent().get(format!("{url}/api/v1/stalled")).call().unwrap();
    assert_eq!(answer.status(), 200);
    // The page says what /readyz says, whether or not anybody asks for the metrics.
    let process: Value = agent()
        .get(format!("{url}/api/v1/process"))
        .call()
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    assert_eq!(process["readiness"]["ready"], true);
    assert_eq!(process["readiness"]["parts"]["sink-push"]["ready"], true);
    // The dashboard does not affect the readiness of the process.
    assert_eq!(readyz(&stack.processor).unwrap()["parts"]["dashboard"], Value::Null);
}

/// Clicks through the page in Chromium; the script is next to the sources of the page.
#[test]
fn the_page_in_a_browser() {
    let dashboard = shared();
    let pictures = repository().join(".local/dashboard-pictures");
    std::fs::create_dir_all(&pictures).unwrap();
    run_browser(&dashboard.service.url(), "figures", &pictures);
}

#[test]
fn the_page_in_a_browser_while_clickhouse_is_away() {
    let dashboard = Dashboard::start("dashboard-away", |launch| launch);
    dashboard.stack.kill(Server::ClickHouse).unwrap();
    let pictures = repository().join(".local/dashboard-pictures");
    std::fs::create_dir_all(&pictures).unwrap();
    run_browser(&dashboard.service.url(), "away", &pictures);
}

fn run_browser(url: &str, scenario: &str, pictures: &Path) {
    let directory = repository().join("processor/dashboard");
    assert!(
        directory.join("node_modules").is_dir(),
        "the browser is driven from {}: run ./dev dashboard",
        directory.display()
    );
    let output = Command::new("node")
        .args(["test/browser.js", url, scenario])
        .arg(pictures)
        .current_dir(&directory)
        .output()
        .expect("node starts");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
