//! The way from hub to hub: three pushes in which it changes, records that are read again, and what no route is.

use courierflow_schemas::records::Vendor;
use courierflow_tests::simulator::vendors::kuaidi100;
use courierflow_tests::stack::{Launch, Service, Stack};
use serde_json::{Value, json};

use crate::harness::{
    PATIENCE, agent, eventually, metric, migrated, post, processor, ready, tables, wait_until_in_tables,
};

const PASSED: &str = "已经过节点";
const CURRENT: &str = "当前停留节点";
const EXPECTED: &str = "预估途径节点";

/// Name, state, arrival and departure on 1 and 2 August 2026, China time.
fn node((name, state, arrival, departure): (&str, &str, &str, &str)) -> Value {
    let time = |time: &str| (!time.is_empty()).then(|| format!("2026-08-{time}"));
    json!({"name": name, "state": state, "arriveTime": time(arrival), "leaveTime": time(departure), "province": "广东", "city": "东莞市",
           "district": null, "type": "转运中心"})
}

fn push(ingest: &Service, number: &str, line: &str, route: &Value) {
    let payload = json!({"status": "polling", "lastResult": {
        "nu": number, "com": "yunda", "state": "0", "ischeck": "0", "totalTime": "1天 13小时",
        "data": [{"context": line, "ftime": "2026-08-01 10:00:00", "statusCode": "0"}], "predictedRoute": route}});
    let (content_type, body) = kuaidi100::body(&payload.to_string(), kuaidi100::Shape::SignedForm, Some(post::SALT));
    let answer = post::post(&ingest.url(), "/v1/push/kuaidi100/demo", content_type, &body);
    post::assert_success(Vendor::Kuaidi100, &answer);
}

/// Every stored row, without what differs from run to run.
fn stored(stack: &dyn Stack) -> Vec<Value> {
    tables::rows(
        stack,
        "SELECT * EXCEPT (version, received_at) FROM courier.route_node FINAL ORDER BY tracking_number, name, visit, telling",
    )
}

const SHOWN: &str = "position, name, state, toString(toTimeZone(planned_arrival_at, 'Asia/Shanghai')) AS planned, \
    toString(toTimeZone(expected_arrival_at, 'Asia/Shanghai')) AS expected, \
    toString(toTimeZone(arrived_at, 'Asia/Shanghai')) AS arrived, dwell_hours, late_hours, became_late, is_next";

fn route_of(stack: &dyn Stack, number: &str) -> Vec<Value> {
    let sql =
        format!("SELECT {SHOWN} FROM courier.parcel_route WHERE tracking_number = '{number}' ORDER BY position, name");
    tables::rows(stack, &sql)
}

fn on(time: &str) -> String {
    format!("2026-08-{time}")
}

/// Records are read a second time, first with all rows there and then without those of nodes.
fn read_again(stack: &dyn Stack, running: &mut Service) {
    // Nothing is known to be stored, so that everything is read a second time: nothing changes.
    let before = stored(stack);
    let all_pushes = "SELECT * FROM courier.push FINAL ORDER BY received_at, push_id";
    let pushes = tables::rows(stack, all_pushes);
    running.terminate(PATIENCE).unwrap();
    tables::execute(stack, "SYSTEM STOP MERGES courier.route_node");
    let all = "SELECT count() AS n FROM courier.route_node";
    let count = tables::rows(stack, all)[0]["n"].as_u64().unwrap();
    tables::execute(stack, "TRUNCATE TABLE courier.sink_offset");
    running.restart().unwrap();
    running.wait_ready(PATIENCE).unwrap();
    eventually("the rows are inserted again", || {
        let now = tables::rows(stack, all)[0]["n"].as_u64().unwrap();
        (now > count).then_some(()).ok_or_else(|| format!("{now} of {count}"))
    });
    assert_eq!(stored(stack), before);

    // The table of nodes alone is lost under a running sink.
    tables::execute(stack, "CREATE TABLE courier.route_node_anew AS courier.route_node");
    tables::execute(stack, "EXCHANGE TABLES courier.route_node_anew AND courier.route_node");
    tables::execute(stack, "DROP TABLE courier.route_node_anew SYNC");
    assert_eq!(stored(stack), Vec::<Value>::new());
    eventually("the nodes are there again", || match stored(stack) {
        now if now == before => Ok(()),
        now => Err(format!("{} of {}", now.len(), before.len())),
    });
    assert_eq!(tables::rows(stack, all_pushes), pushes);
    running.wait_ready(PATIENCE).unwrap();
}

#[test]
fn i4_a_route_that_changes_is_told_by_first_plan_and_last_word_however_often_it_is_read() {
    let stack = migrated("routes");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut running = ready(&processor("run", &stack), "processor", &stack);

    let told = [
        [
            ("东莞长安", PASSED, "01 08:00:00", "01 09:00:00"),
            ("虎门", EXPECTED, "01 12:00:00", "01 14:00:00"),
            ("长沙", EXPECTED, "01 20:00:00", "01 22:00:00"),
            ("岳阳", EXPECTED, "02 06:00:00", "02 07:00:00"),
        ],
        [
            ("东莞长安", PASSED, "01 08:00:00", "01 09:00:00"),
            ("虎门", CURRENT, "01 13:00:00", "01 16:00:00"),
            ("衡阳", EXPECTED, "01 21:00:00", "01 23:00:00"),
            ("岳阳", EXPECTED, "02 08:00:00", "02 09:00:00"),
        ],
        [
            ("东莞长安", PASSED, "01 08:00:00", "01 09:00:00"),
            ("虎门", PASSED, "01 13:00:00", "01 17:30:00"),
            ("衡阳", PASSED, "02 01:00:00", "02 02:00:00"),
            ("岳阳", EXPECTED, "02 11:00:00", "02 12:00:00"),
        ],
    ];
    for (wave, nodes) in told.into_iter().enumerate() {
        push(&ingest, "ROUTE1", &format!("第{wave}条"), &json!(nodes.map(node)));
    }
    // Without a route, with one that cannot be read, and with one of which a part can be.
    post::one_picked_up(&ingest.url(), "ROUTE2");
    push(&ingest, "ROUTE3", "x", &json!("东莞"));
    let long = "长".repeat(200);
    let strange = json!([
        {"name": "快递员张三13812345678", "state": EXPECTED, "arriveTime": 5, "city": "13812345678"}, {"name": "虎门", "state": "?"},
        node((&long, PASSED, "", "")), {"state": PASSED}, node(("虎门", PASSED, "", "")), node(("虎门", PASSED, "", "")),
    ]);
    push(&ingest, "ROUTE4", "x", &strange);
    wait_until_in_tables(&stack);

    let expected = json!([
        {"position": 1, "name": "东莞长安", "state": "PASSED", "planned": null, "expected": null, "arrived": on("01 08:00:00"),
         "dwell_hours": 1, "late_hours": null, "became_late": false, "is_next": false},
        {"position": 2, "name": "虎门", "state": "PASSED", "planned": on("01 12:00:00"), "expected": null, "arrived": on("01 13:00:00"),
         "dwell_hours": 4.5, "late_hours": 1, "became_late": false, "is_next": false},
        // Planned at first, and then left out.
        {"position": 3, "name": "衡阳", "state": "PASSED", "planned": on("01 21:00:00"), "expected": null, "arrived": on("02 01:00:00"),
         "dwell_hours": 1, "late_hours": 4, "became_late": true, "is_next": false},
        {"position": 3, "name": "长沙", "state": "DROPPED", "planned": on("01 20:00:00"), "expected": null, "arrived": null,
         "dwell_hours": null, "late_hours": null, "became_late": false, "is_next": false},
        {"position": 4, "name": "岳阳", "state": "EXPECTED", "planned": on("02 06:00:00"), "expected": on("02 11:00:00"), "arrived": null,
         "dwell_hours": null, "late_hours": 5, "became_late": false, "is_next": true},
    ]);
    assert_eq!(json!(route_of(&stack, "ROUTE1")), expected);
    for (number, total) in [("ROUTE1", json!(37)), ("ROUTE2", Value::Null)] {
        let sql =
            format!("SELECT vendor_total_hours AS hours FROM courier.push FINAL WHERE tracking_number = '{number}'");
        assert_eq!(tables::rows(&stack, &sql)[0]["hours"], total, "{number}");
    }

    // What is strange is left out and counted, and stops nothing.
    for number in ["ROUTE2", "ROUTE3"] {
        assert_eq!(route_of(&stack, number), Vec::<Value>::new());
    }
    let rest = tables::rows(
        &stack,
        "SELECT name, visit, city, state FROM courier.route_node FINAL WHERE tracking_number = 'ROUTE4' AND telling = 'LAST' ORDER BY position",
    );
    let expected = json!([
        {"name": "快递员***138******78", "visit": 1, "city": "138******78", "state": "EXPECTED"},
        {"name": "虎门", "visit": 1, "city": "东莞市", "state": "PASSED"},
        {"name": "虎门", "visit": 2, "city": "东莞市", "state": "PASSED"},
    ]);
    assert_eq!(json!(rest), expected);
    let counted = |name: &str| metric(&running, name).unwrap();
    assert!((counted("courierflow_sink_left_out_total{table=\"route_node\"}") - 3.0).abs() < 0.5);
    assert!(counted("courierflow_sink_dead_letters_total").abs() < 0.5);
    assert_eq!(
        tables::rows(&stack, "SELECT count() AS n FROM courier.push FINAL")[0]["n"],
        json!(6)
    );

    read_again(&stack, &mut running);

    let url = format!("{}/api/v1/parcel?number=ROUTE1", running.url());
    let answer = agent().get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let route = answer["route"].as_array().unwrap();
    let names: Vec<_> = route.iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["东莞长安", "虎门", "衡阳", "长沙", "岳阳"]);
    assert_eq!(route[2]["planned_arrival_at"], json!("2026-08-01T13:00:00Z"));
    assert_eq!(
        (&route[2]["became_late"], &route[4]["is_next"]),
        (&json!(true), &json!(true))
    );
}
