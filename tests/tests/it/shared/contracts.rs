//! The contracts that other teams rely on: keys, partitions, schemas, and what never leaves the push topic.

use std::collections::{BTreeMap, BTreeSet};

use courierflow_schemas::records::{
    Annotation, PushEvent, Shipment, Subscription, SubscriptionRequest, Transition, Vendor, VendorCall,
};
use courierflow_schemas::topics::{self, PUSH, SHIPMENT, TRANSITION};
use courierflow_schemas::wire::Record as _;
use courierflow_tests::simulator::vendors::kuaidi100::{self, Shape};
use courierflow_tests::stack::Stack;
use serde_json::{Value, json};

use crate::harness::post::{self, SALT, assert_kdniao_refused, assert_success};
use crate::harness::topics::{THREE, murmur2_partition, partitions, read};
use crate::harness::{agent, ask_registry, eventually, migrate, python, shared, tables};

/// A delivered parcel with names, numbers and a pick-up code.
fn personal(number: &str) -> String {
    json!({
        "status": "polling",
        "lastResult": {
            "nu": number, "com": "yuantong", "state": "3", "ischeck": "1",
            "data": [
                {"ftime": "2026-08-03 18:00:00", "statusCode": "304", "context": "已取出，签收人: 诸葛孔明"},
                {"ftime": "2026-08-03 11:00:00", "statusCode": "501",
                 "context": "快件已暂存至丰巢智能快递柜，取件码 8-2-30417，联系电话 0571-87654321"},
                {"ftime": "2026-08-03 09:00:00", "statusCode": "5",
                 "context": "业务员 司马相如，电话：13912345678 正在派件，请您准备签收"},
                {"ftime": "2026-08-02 20:00:00", "statusCode": "103", "context": "您的快件已揽收"}
            ]
        }
    })
    .to_string()
}

/// Posts a push about `number` and waits for its row.
fn arrives(shared: &crate::harness::Shared, number: &str) {
    assert_success(
        Vendor::Kuaidi100,
        &post::kuaidi100(&shared.ingest.url(), &personal(number)),
    );
    eventually("the shipment is in its table", || {
        match (
            tables::shipments_of(&shared.stack, number),
            tables::transitions_of(&shared.stack, number),
        ) {
            (rows, transitions) if rows.len() == 1 && transitions.len() == 4 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn i2_a_parcel_is_on_one_partition_of_all_topics_by_murmur2_of_its_number() {
    let shared = shared();
    let numbers: Vec<String> = (0..12).map(|index| format!("MURMUR{index}")).collect();
    for number in &numbers {
        assert_success(
            Vendor::Kuaidi100,
            &post::kuaidi100(&shared.ingest.url(), &personal(number)),
        );
    }
    for number in &numbers {
        eventually("the transitions are derived", || {
            let found = crate::harness::topics::transitions_of(&shared.stack, number).len();
            if found == 4 {
                Ok(())
            } else {
                Err(format!("{found} of {number}"))
            }
        });
    }
    let mut used = BTreeSet::new();
    for topic in THREE {
        let partitions = partitions(&shared.stack, topic);
        for record in read(&shared.stack, topic) {
            let key = record.key.expect("a key");
            let number = key.rsplit(':').next().expect("a number").to_owned();
            assert_eq!(key == number, topic != SHIPMENT, "key {key} of {topic}");
            assert_eq!(
                record.partition,
                murmur2_partition(&number, partitions),
                "{topic}: {key}"
            );
            if number.starts_with("MURMUR") {
                used.insert(record.partition);
            }
        }
    }
    assert!(used.len() > 3, "12 numbers on partitions {used:?} only");
}

#[test]
fn murmur2_is_that_of_the_java_client() {
    // From the tests of Apache Kafka's own `Utils.murmur2`: the hash before its sign bit is cleared.
    for (key, hash) in [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
    ] {
        let positive = i64::from(hash) & 0x7fff_ffff;
        assert_eq!(
            i64::from(murmur2_partition(key, 0x7fff_ffff)),
            positive % 0x7fff_ffff,
            "{key}"
        );
    }
}

/// Texts for the five steps of rule 13.1, each with the parts that must not appear.
const PERSONAL_LINES: [(&str, &[&str]); 16] = [
    ("快件已暂存至丰巢，取件码 8-2-30417", &["8-2-30417"]),
    ("快件已存放至驿站，提货码为66-9-1042", &["66-9-1042"]),
    ("请凭取货码：QH7730451到店", &["QH7730451"]),
    ("已取出，签收人: 诸葛孔明", &["诸葛孔明"]),
    ("快递员【欧阳修文】正在派件", &["欧阳修文"]),
    ("联系人：阿迪力·买买提江", &["阿迪力", "买买提江"]),
    (
        "Final delivery Signed for by: GRETCHEN OKONKWO",
        &["GRETCHEN", "OKONKWO"],
    ),
    ("RECEIVED BY (THADDEUS)", &["THADDEUS"]),
    (
        "业务员 司马相如，电话：13912345678 正在派件",
        &["司马相如", "13912345678"],
    ),
    ("收件员慕容博渊 手机13700661177", &["慕容博渊", "13700661177"]),
    ("揽收任务已分配给上官婉儿", &["上官婉儿"]),
    ("Assigned, 分配给KASIMIR", &["KASIMIR"]),
    ("隐私号18675534564-2291，请勿保存", &["18675534564", "534564", "2291，"]),
    ("派件员电话15988776655(本人)", &["15988776655"]),
    ("网点电话0571-87654321", &["87654321"]),
    ("仓库 0769-81846991 客服", &["81846991"]),
];

/// Personal data in fields that derivation does not read, in places, and outside the payload.
const PERSONAL_ELSEWHERE: [&str; 7] = [
    "令狐冲霄",
    "13511992288",
    "13622113344",
    "13733224455",
    "13844335566",
    "13955446677",
    "15066557788",
];

fn personal_kuaidi100(number: &str) -> String {
    let mut lines: Vec<Value> = (10..)
        .zip(PERSONAL_LINES)
        .map(|(minute, (context, _))| {
            json!({"ftime": format!("2026-08-03 09:{minute}:00"), "statusCode": "5", "context": context,
                   "areaName": "浙江,杭州市,代收点13622113344", "location": "杭州市 代收点13622113344"})
        })
        .collect();
    lines.reverse();
    json!({
        "status": "polling", "message": "13733224455",
        "lastResult": {
            "nu": number, "com": "yuantong", "state": "5", "ischeck": "0", "message": "令狐冲霄", "data": lines,
            "courierInfo": {"deliveryManName": "令狐冲霄", "deliveryManPhone": "13511992288"},
            "routeInfo": {"from": {"number": "CN330100000000", "name": "浙江,杭州市,代收点13622113344"}},
            "predictedRoute": [{"name": "杭州 代收点13622113344", "state": "已经过节点", "province": "13511992288", "city": "快递员令狐冲霄13511992288"}]
        }
    })
    .to_string()
}

fn personal_kdniao(number: &str) -> String {
    let lines: Vec<Value> = (10..)
        .zip(PERSONAL_LINES)
        .map(|(minute, (text, _))| {
            json!({"AcceptTime": format!("2026-08-03 09:{minute}:00"), "Action": "202", "AcceptStation": text,
                   "Location": "代收点13622113344", "Remark": "令狐冲霄"})
        })
        .collect();
    json!({
        "PushTime": "2026-08-03 12:00:00", "EBusinessID": "1000001", "Count": "1",
        "Data": [{
            "EBusinessID": "1000001", "ShipperCode": "ZTO", "LogisticCode": number, "Success": true, "State": "2",
            "StateEx": "202", "Reason": "13733224455", "DeliveryMan": "令狐冲霄", "DeliveryManTel": "13511992288",
            "Traces": lines
        }]
    })
    .to_string()
}

/// All content of some records except what `topic.value` may contain.
fn told(records: &[crate::harness::topics::Record], with_values: bool) -> String {
    let value = |record: &crate::harness::topics::Record| {
        let value = record.value.as_deref().filter(|_| with_values).unwrap_or_default();
        format!(
            "{:?} {:?} {}\n",
            record.key,
            record.headers,
            String::from_utf8_lossy(value)
        )
    };
    records.iter().map(value).collect()
}

#[test]
fn i8_names_numbers_and_codes_stay_on_the_push_topic() {
    let shared = shared();
    let base = shared.ingest.url();
    // With a query string, as the callback URL of a subscription may have one.
    let (content_type, body) = kuaidi100::body(&personal_kuaidi100("PERSONAL1"), Shape::SignedForm, Some(SALT));
    let path = "/v1/push/kuaidi100/demo?subscriber=13844335566";
    assert_success(Vendor::Kuaidi100, &post::post(&base, path, content_type, &body));
    assert_success(Vendor::Kdniao, &post::kdniao(&base, &personal_kdniao("PERSONAL2")));
    // Dead-lettered, and refused in several ways.
    let unusable = json!({"status": "polling", "message": "13955446677", "lastResult": null}).to_string();
    assert_success(Vendor::Kuaidi100, &post::kuaidi100(&base, &unusable));
    for (path, body, status) in [
        (
            "/v1/push/kuaidi100/demo",
            "param={\"n\":\"15066557788\"}&sign=15066557788",
            401,
        ),
        ("/v1/push/kuaidi100/15066557788", "param={}", 404),
        ("/v1/push/kuaidi100/open", "{\"message\":\"15066557788\"}", 400),
        ("/v1/push/kdniao/open", "15066557788", 400),
    ] {
        let answer = post::post(&base, path, "text/plain; phone=15066557788", body.as_bytes()).unwrap();
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert!(!answer.body.contains("15066557788"), "{path}: {answer:?}");
    }

    // Everything is derived and in the tables.
    for number in ["PERSONAL1", "PERSONAL2"] {
        eventually("the shipment is in its table", || {
            let events = tables::shipments_of(&shared.stack, number)
                .first()
                .map_or(0, |row| row.event.len());
            let pushes = tables::pushes_of(&shared.stack, number).len();
            let transitions = tables::transitions_of(&shared.stack, number).len();
            if events == PERSONAL_LINES.len() && pushes == 1 && transitions >= 1 {
                Ok(())
            } else {
                Err(format!(
                    "{number}: {events} events, {pushes} pushes, {transitions} transitions"
                ))
            }
        });
    }

    // The restricted topics, and everything else.
    let restricted = told(&read(&shared.stack, PUSH), true) + &told(&read(&shared.stack, topics::PUSH_DEAD), true);
    let mut places = vec![
        ("push headers".to_owned(), told(&read(&shared.stack, PUSH), false)),
        (
            "dead pushes' headers".to_owned(),
            told(&read(&shared.stack, topics::PUSH_DEAD), false),
        ),
        (
            "dead letters' headers".to_owned(),
            told(&read(&shared.stack, topics::DERIVE_DEAD), false),
        ),
        (SHIPMENT.to_owned(), told(&read(&shared.stack, SHIPMENT), true)),
        (TRANSITION.to_owned(), told(&read(&shared.stack, TRANSITION), true)),
    ];
    for table in ["push", "route_node", "shipment", "transition"] {
        let rows = tables::rows(&shared.stack, &format!("SELECT * FROM courier.{table}"));
        places.push((format!("table {table}"), rows.iter().map(Value::to_string).collect()));
    }
    for service in [&shared.ingest, &shared.processor] {
        let metrics = agent()
            .get(format!("{}/metrics", service.url()))
            .call()
            .expect("metrics");
        places.push((
            "metrics".to_owned(),
            metrics.into_body().read_to_string().expect("text"),
        ));
    }
    for file in std::fs::read_dir(shared.stack.dir().join("log")).expect("logs") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("readable");
        places.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
    }
    assert!(
        places
            .iter()
            .any(|(name, log)| name.ends_with("processor.log") && !log.is_empty())
    );

    let of_lines = PERSONAL_LINES.iter().flat_map(|(_, secrets)| secrets.iter());
    for secret in of_lines.chain(&PERSONAL_ELSEWHERE) {
        // A refused push is stored nowhere.
        assert!(
            restricted.contains(secret) || *secret == "15066557788",
            "{secret} was not even sent"
        );
        for (place, said) in &places {
            assert!(!said.contains(secret), "{secret} is in {place}");
        }
    }
}

#[test]
fn an_account_that_takes_unsigned_pushes_is_told_at_start() {
    let log = shared().ingest.log().unwrap();
    let warns_of = |account: &str| {
        let account = format!("\"account\":\"{account}\"");
        let mut lines = log.lines();
        lines.any(|line| line.contains("takes unsigned pushes") && line.contains("WARN") && line.contains(&account))
    };
    assert!(warns_of("open"));
    assert!(!warns_of("demo"));
}

const RETURN_OF_17TRACK: &str = include_str!("../../../../processor/domain/tests/core/golden/17track-b-return.json");

#[test]
fn a_stock_python_client_reads_all_three_topics() {
    let shared = shared();
    let number = "PYTHON1";
    arrives(&shared, number);
    let of_17track = RETURN_OF_17TRACK.replace("00340000000000000011", "PYTHON17");
    assert_success(
        Vendor::SeventeenTrack,
        &post::seventeentrack(&shared.ingest.url(), &of_17track),
    );
    eventually("the parcel of 17TRACK is in its table", || {
        let rows = tables::transitions_of(&shared.stack, "PYTHON17").len();
        if rows > 0 {
            Ok(())
        } else {
            Err("no transition yet".to_owned())
        }
    });
    let records = python::read(&shared.stack, &THREE);
    // A vendor that a reader has never heard of is a string like another.
    for topic in THREE {
        let mut values = records.iter().filter(|record| record["topic"] == topic);
        let is_new =
            |record: &Value| record["value"]["tracking_number"] == "PYTHON17" && record["value"]["vendor"] == "17track";
        assert!(values.any(is_new), "no record of 17TRACK on {topic}");
    }
    let told = |topic: &str| -> Vec<&Value> {
        let mine = |record: &&Value| record["topic"] == topic && record["value"]["tracking_number"] == number;
        records.iter().filter(mine).collect()
    };
    let rows = |table: &str, order: &str| {
        let sql = format!("SELECT * FROM courier.{table} FINAL WHERE tracking_number = '{number}' ORDER BY {order}");
        tables::rows(&shared.stack, &sql)
    };

    let (pushes, row) = (told(PUSH), &rows("push", "received_at")[0]);
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0]["key"], number);
    assert_eq!(
        (&pushes[0]["partition"], &pushes[0]["offset"]),
        (&row["partition"], &row["offset"])
    );
    assert_eq!(pushes[0]["value"]["payload"], personal(number));
    let columns = "vendor account part parts push_id received_at signature";
    assert_same_fields(&pushes[0]["value"], row, columns);

    let (shipments, row) = (told(SHIPMENT), &rows("shipment", "epoch")[0]);
    assert_eq!(shipments.len(), 1);
    assert_eq!(shipments[0]["key"], format!("kuaidi100:yto:{number}"));
    assert_same_shipment(&shipments[0]["value"], row);

    let mut transitions: Vec<_> = told(TRANSITION).into_iter().map(|record| &record["value"]).collect();
    transitions.sort_by_key(|transition| transition["occurred_at"].to_string());
    let rows = rows("transition", "occurred_at");
    assert_eq!(transitions.len(), rows.len());
    for (transition, row) in transitions.iter().zip(&rows) {
        let columns = "transition_id version from_status from_sub_status to_status to_sub_status raw_code \
                       dwell_seconds verdict is_exception party leg";
        assert_same_fields(transition, row, columns);
        assert_eq!(transition["op"], "OBSERVED");
        assert_eq!(without_fraction(&transition["occurred_at"]), row["occurred_at"]);
    }
}

fn assert_same_fields(record: &Value, row: &Value, names: &str) {
    for name in names.split_whitespace() {
        assert_eq!(record[name], row[name], "{name}");
    }
}

fn assert_same_shipment(shipment: &Value, row: &Value) {
    let columns = "vendor account carrier epoch version first_received_at received_at status sub_status raw_code leg \
                   tracking_state origin dest attempts exception_codes flags";
    assert_same_fields(shipment, row, columns);
    for (milestone, time) in shipment["milestones"].as_object().expect("milestones") {
        assert_eq!(without_fraction(time), row[milestone], "{milestone}");
    }
    let events = shipment["events"].as_array().expect("events");
    assert_eq!(events.len(), 4);
    for (index, event) in events.iter().enumerate() {
        for field in [
            "id",
            "local_time",
            "status",
            "sub_status",
            "raw_code",
            "segment",
            "location",
            "context",
        ] {
            assert_eq!(
                event[field],
                row[format!("event.{field}")][index],
                "event {index}: {field}"
            );
        }
    }
}

/// `2026-08-03 10:00:00` for `2026-08-03 10:00:00.000000`.
fn without_fraction(time: &Value) -> Value {
    time.as_str()
        .map_or(Value::Null, |time| time.split('.').next().expect("a time").into())
}

#[test]
fn schemas_are_fully_compatible_for_good() {
    let shared = shared();
    for (subject, text) in [
        (PushEvent::subject(), PushEvent::SCHEMA_TEXT),
        (Shipment::subject(), Shipment::SCHEMA_TEXT),
        (Transition::subject(), Transition::SCHEMA_TEXT),
    ] {
        let (_, level) = ask_registry(&shared.stack, &format!("/config/{subject}"), None);
        assert_eq!(level["compatibilityLevel"], "FULL_TRANSITIVE", "{subject}");
        let (_, versions) = ask_registry(&shared.stack, &format!("/subjects/{subject}/versions"), None);
        assert_eq!(versions, json!([1]), "{subject}");

        let schema: Value = serde_json::from_str(text).expect("JSON");
        let register = |change: &dyn Fn(&mut Vec<Value>)| {
            let mut changed = schema.clone();
            change(changed["fields"].as_array_mut().expect("fields"));
            let body = json!({"schema": changed.to_string(), "schemaType": "AVRO"});
            ask_registry(&shared.stack, &format!("/subjects/{subject}/versions"), Some(&body))
        };
        let refused = [
            register(&|fields| fields.push(json!({"name": "added", "type": "string"}))),
            register(&|fields| fields.retain(|field| field["name"] != "tracking_number")),
            register(&|fields| fields[0]["type"] = json!("boolean")),
        ];
        for (status, answer) in refused {
            assert_eq!(status, 409, "{subject}: {answer}");
        }
    }
}

/// Asked, not registered: the subjects keep their one version.
#[test]
fn the_registry_takes_further_symbols_of_every_enum() {
    fn enums(node: &mut Value, change: &dyn Fn(&mut Value)) -> usize {
        let mut found = 0;
        if node["type"] == "enum" {
            change(node);
            found += 1;
        }
        match node {
            Value::Object(map) => found += map.values_mut().map(|inner| enums(inner, change)).sum::<usize>(),
            Value::Array(items) => found += items.iter_mut().map(|inner| enums(inner, change)).sum::<usize>(),
            _ => {}
        }
        found
    }
    let shared = shared();
    for (subject, text) in [
        (PushEvent::subject(), PushEvent::SCHEMA_TEXT),
        (Shipment::subject(), Shipment::SCHEMA_TEXT),
        (Transition::subject(), Transition::SCHEMA_TEXT),
        (SubscriptionRequest::subject(), SubscriptionRequest::SCHEMA_TEXT),
        (Subscription::subject(), Subscription::SCHEMA_TEXT),
        (VendorCall::subject(), VendorCall::SCHEMA_TEXT),
        (Annotation::subject(), Annotation::SCHEMA_TEXT),
    ] {
        let is_compatible = |change: &dyn Fn(&mut Value)| {
            let mut schema: Value = serde_json::from_str(text).expect("JSON");
            assert!(enums(&mut schema, change) > 0, "{subject}");
            let body = json!({"schema": schema.to_string(), "schemaType": "AVRO"});
            let path = format!("/compatibility/subjects/{subject}/versions");
            let (status, answer) = ask_registry(&shared.stack, &path, Some(&body));
            assert_eq!(status, 200, "{subject}: {answer}");
            answer["is_compatible"] == true
        };
        let grow = |node: &mut Value| node["symbols"].as_array_mut().expect("symbols").push(json!("LATER"));
        assert!(is_compatible(&grow), "{subject}");
        let shrink = |node: &mut Value| {
            node["symbols"].as_array_mut().expect("symbols").pop();
            node.as_object_mut().expect("an enum").remove("default");
        };
        assert!(
            !is_compatible(&shrink),
            "{subject}: a symbol less, and nothing to take it for"
        );
    }
}

#[test]
fn migrating_again_changes_nothing() {
    let shared = shared();
    let state = || {
        let tables = tables::rows(
            &shared.stack,
            // Without the tables that a running refresh is filling.
            "SELECT name, create_table_query FROM system.tables WHERE database = 'courier' AND NOT startsWith(name, '.') \
             ORDER BY name",
        );
        let subjects: Vec<_> = THREE
            .iter()
            .map(|topic| ask_registry(&shared.stack, &format!("/subjects/{topic}-value/versions"), None))
            .collect();
        let partitions: BTreeMap<_, _> = topics::ALL
            .iter()
            .map(|topic| (topic.name, partitions(&shared.stack, topic.name)))
            .collect();
        (tables, subjects, partitions)
    };
    let before = state();
    let said = migrate(&shared.stack);
    assert!(said.contains("nothing to change"), "{said}");
    assert_eq!(state(), before);
    assert_eq!(
        before.2.values().collect::<BTreeSet<_>>().len(),
        1,
        "the same number of partitions: {:?}",
        before.2
    );
}

#[test]
fn what_is_not_stored_is_not_called_stored() {
    let shared = shared();
    let base = shared.ingest.url();
    let form = "application/x-www-form-urlencoded";
    for (case, path, content_type, body, status) in [
        (
            "wrong signature",
            "/v1/push/kuaidi100/demo",
            form,
            "param=%7B%22lastResult%22%3A%7B%22nu%22%3A%22REFUSED1%22%7D%7D&sign=00",
            401,
        ),
        (
            "no signature",
            "/v1/push/kdniao/demo",
            "application/json",
            r#"{"Data":[{"LogisticCode":"REFUSED2"}]}"#,
            401,
        ),
        (
            "unknown account",
            "/v1/push/kuaidi100/nobody",
            form,
            "param=%7B%7D",
            404,
        ),
        (
            "no parcel, unsigned",
            "/v1/push/kuaidi100/open",
            "application/json",
            "{}",
            400,
        ),
        (
            "neither form nor JSON",
            "/v1/push/kdniao/open",
            "text/plain",
            "hello",
            400,
        ),
    ] {
        let answer = post::post(&base, path, content_type, body.as_bytes()).unwrap();
        assert_eq!(answer.status, status, "{case}: {answer:?}");
        if path.contains("kuaidi100") {
            let code = status.to_string();
            assert_eq!(answer.json()["result"], false, "{case}");
            assert_eq!(answer.json()["returnCode"], *code, "{case}");
        } else {
            assert_kdniao_refused(&answer.json());
        }
    }
    // The vendor is not at fault: a success body, and the raw body among the dead letters.
    let unusable = post::kuaidi100(&base, r#"{"status":"polling","lastResult":null,"mark":"UNUSABLE1"}"#);
    assert_success(Vendor::Kuaidi100, &unusable);
    let dead = read(&shared.stack, topics::PUSH_DEAD);
    let letter = dead
        .iter()
        .find(|record| String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).contains("UNUSABLE1"))
        .expect("a dead letter");
    assert_eq!(
        (letter.headers["vendor"].as_str(), letter.headers["account"].as_str()),
        ("kuaidi100", "demo")
    );
    assert!(
        letter.key.is_none() && letter.headers.contains_key("reason"),
        "{:?}",
        letter.headers
    );
    for record in read(&shared.stack, PUSH) {
        assert!(!record.key.expect("a key").starts_with("REFUSED"));
    }
}
