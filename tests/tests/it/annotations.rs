//! Corrections by hand, from the command to the figures, the lists and the page, through a replay, and back again.

use courierflow_schemas::records::Vendor;
use courierflow_schemas::topics::ANNOTATION;
use courierflow_tests::simulator::vendors::kuaidi100;
use courierflow_tests::stack::{Launch, Service, Stack};
use serde_json::{Value, json};

use crate::dashboard::described::assert_described;
use crate::harness::{
    PATIENCE, agent, migrated, post, processor, ready, tables, topics, wait_until_in_tables, wait_until_sink_has_read,
};
use crate::replay::replay;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Of each line the code; an hour lies between two of them, the first is that of the pickup.
fn push(ingest: &Service, number: &str, codes: &[&str]) {
    let lines = codes.iter().enumerate().rev().map(|(hour, code)| {
        json!({"context": format!("第{hour}条"), "ftime": format!("2026-08-01 {:02}:00:00", 10 + hour), "statusCode": code,
               "areaName": "广东,深圳市", "location": "深圳龙华营业点"})
    });
    let payload = json!({"status": "polling", "lastResult": {
        "nu": number, "com": "yunda", "state": "0", "ischeck": "0", "data": lines.collect::<Vec<_>>()}});
    let (content_type, body) = kuaidi100::body(&payload.to_string(), kuaidi100::Shape::SignedForm, Some(post::SALT));
    let answer = post::post(
        &ingest.url(),
        "/v1/push/kuaidi100/demo?orderId=SO-17",
        content_type,
        &body,
    );
    post::assert_success(Vendor::Kuaidi100, &answer);
}

/// Runs the command; what it said, and whether it succeeded.
fn annotate(stack: &dyn Stack, number: &str, what: &[&str]) -> Result<String, String> {
    let log = stack.dir().join("log/annotate.log");
    let before = std::fs::read_to_string(&log).unwrap_or_default().len();
    let command = [
        "--number",
        number,
        "--reason",
        "the carrier has said so",
        "--by",
        "li.wei",
    ];
    let command = command
        .iter()
        .chain(what)
        .fold(processor("annotate", stack), |command, argument| command.arg(*argument));
    let done = command.run_to_end("annotate", stack);
    let said = std::fs::read_to_string(&log).unwrap().split_off(before);
    done.map(|()| said.clone()).map_err(|_| said)
}

fn get(dashboard: &Service, path: &str) -> Value {
    let url = format!("{}/api/v1/{path}", dashboard.url());
    let mut answer = agent().get(&url).call().unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

/// An answer of the API, which must match its description.
fn ask(dashboard: &Service, path: &str) -> Value {
    let answer = get(dashboard, path);
    let description = get(dashboard, "openapi.json");
    let endpoint = path.split('?').next().unwrap();
    let operation = &description["paths"][format!("/api/v1/{endpoint}")]["get"];
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    assert_described(&description, schema, &answer, path);
    answer
}

/// What a correction may change of figures and lists.
#[derive(Debug, PartialEq)]
struct Shown {
    parcels: Vec<Value>,
    figures: Vec<Value>,
    exceptions: Vec<Value>,
    open: Vec<Value>,
    order: Vec<Value>,
}

fn shown(stack: &dyn Stack) -> Shown {
    tables::refresh_metrics(stack);
    let rows = |sql: &str| tables::rows(stack, sql);
    Shown {
        parcels: rows(
            "SELECT tracking_number, status, toBool(is_delivered) AS is_delivered, toBool(is_open) AS is_open,
                 toBool(is_exception) AS is_exception, transit_seconds, attempt_seconds, exception_after
             FROM courier.parcel ORDER BY tracking_number",
        ),
        figures: rows(
            "SELECT sum(parcels) AS parcels, sum(delivered) AS delivered, sum(open) AS open, sum(lost_presumed) AS lost_presumed,
                 sum(with_exception) AS with_exception, sum(within_72h) AS within_72h, sum(settled_first_attempt) AS first_attempt
             FROM courier.carrier_daily WHERE level = 'carrier'",
        ),
        exceptions: rows(
            "SELECT kind, name, parcels, settled, resolve_parcels FROM courier.exception_daily WHERE level = 'carrier' ORDER BY kind, name",
        ),
        open: rows("SELECT tracking_number, status FROM courier.open_parcel ORDER BY tracking_number"),
        order: rows("SELECT parcels, delivered, open, lost, exceptions FROM courier.order_shipments WHERE reference = 'SO-17'"),
    }
}

fn figures(counts: [u64; 7]) -> Vec<Value> {
    let [
        parcels,
        delivered,
        open,
        lost_presumed,
        with_exception,
        within_72h,
        first_attempt,
    ] = counts;
    vec![
        json!({"parcels": parcels, "delivered": delivered, "open": open, "lost_presumed": lost_presumed,
        "with_exception": with_exception, "within_72h": within_72h, "first_attempt": first_attempt}),
    ]
}

#[test]
fn what_people_say_counts_until_they_take_it_back_and_no_replay_loses_it() {
    let stack = migrated("annotations");
    let file = std::fs::canonicalize(stack.dir()).unwrap().join("accounts.toml");
    let token_file = file.with_file_name("wang.fang.token");
    std::fs::write(&token_file, TOKEN).unwrap();
    std::fs::write(
        &file,
        format!("[[ingest.accounts]]\nname = \"demo\"\nvendor = \"kuaidi100\"\nsalts = [\"courierflow-demo-salt\"]\nreference = \"query:orderId\"\n\n[[dashboard.annotators]]\nname = \"wang.fang\"\ntoken_file = \"{}\"\n", token_file.display()),
    )
    .unwrap();
    let ingest = ready(&Launch::ingest().config(&file), "ingest", &stack);
    let run = processor("run", &stack).config(&file);
    let mut running = ready(&run, "processor", &stack);
    for number in ["ANNO0", "ANNO1", "ANNO2", "ANNO3"] {
        push(&ingest, number, &["103", "0"]);
    }
    // One in trouble, whose exception ends with its delivery.
    push(&ingest, "ANNO4", &["103", "0", "204"]);
    wait_until_in_tables(&stack);
    let before = shown(&stack);
    assert_eq!(before.figures, figures([5, 0, 5, 5, 1, 0, 0]));
    assert_eq!(before.open.len(), 5);

    refusals(&stack);
    assert_eq!(
        topics::read(&stack, ANNOTATION).len(),
        0,
        "what is refused is not written"
    );

    let said = annotate(&stack, " anno4 ", &["--delivered", "--at", "2026-08-02T02:00:00Z"]).unwrap();
    for part in [
        "kuaidi100/demo yunda ANNO4 (life of 2026-08-01): EXCEPTION by its vendor's word",
        "before: no correction",
        "now: DELIVERED at 2026-08-02T02:00:00Z, by li.wei: the carrier has said so",
    ] {
        assert!(said.contains(part), "{said}");
    }
    annotate(&stack, "ANNO1", &["--lost", "--at", "2026-08-03T02:00:00Z"]).unwrap();
    annotate(&stack, "ANNO2", &["--destroyed"]).unwrap();
    annotate(&stack, "ANNO3", &["--exclude"]).unwrap();
    wait_until_sink_has_read(&*stack);
    let after = shown(&stack);
    assert_corrected(&after);
    assert_on_page(&running);

    // The same record again, as after a lost acknowledgement.
    let records = topics::read(&stack, ANNOTATION);
    assert_eq!(records.len(), 4);
    for record in &records {
        let key = record.key.as_deref().unwrap();
        topics::produce(&stack, ANNOTATION, record.partition, key, &[record.value.as_deref()]);
    }
    wait_until_sink_has_read(&*stack);
    let count = tables::rows(&stack, "SELECT count() AS count FROM courier.annotation FINAL");
    assert_eq!(count[0]["count"], 4);
    assert_eq!(shown(&stack), after);

    // The lost parcel turns up: what was said holds, and somebody has to look.
    push(&ingest, "ANNO1", &["103", "0", "5", "3"]);
    wait_until_in_tables(&stack);
    assert_eq!(shown(&stack), after);
    assert_contradicted(&running);

    running.terminate(PATIENCE).unwrap();
    replay(&*stack, &["--from", "earliest", "--exchange"]).unwrap();
    running = ready(&run, "processor", &stack);
    wait_until_in_tables(&stack);
    assert_eq!(shown(&stack), after);
    assert_contradicted(&running);

    over_http(&running);
    for number in ["ANNO2", "ANNO3", "ANNO4"] {
        let said = annotate(&stack, number, &["--undo"]).unwrap();
        assert!(said.contains("now: no correction, by li.wei"), "{said}");
    }
    wait_until_sink_has_read(&*stack);
    let undone = shown(&stack);
    // The vendor's word is back, and it has delivered one of them since.
    assert_eq!(undone.figures, figures([5, 1, 4, 4, 1, 1, 1]));
    assert_eq!(undone.open.len(), 4);
    let others = |shown: &Shown| -> Vec<Value> {
        let parcels = shown.parcels.iter().filter(|row| row["tracking_number"] != "ANNO1");
        parcels.cloned().collect()
    };
    assert_eq!(others(&undone), others(&before));
    let answer = ask(&running, "parcel?number=ANNO1");
    assert_eq!(answer["rows"][0]["annotation"], json!(null));
    let kinds: Vec<&Value> = answer["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["kind"])
        .collect();
    assert_eq!(kinds, ["NONE", "LOST"], "what was said stays known");
}

/// The same through the API: who may not is refused, and the lost parcel that has turned up is taken back.
fn over_http(dashboard: &Service) {
    let say = |token: Option<&str>, body: &Value| {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let headers = authorization.iter().map(|value| ("Authorization", value.as_str()));
        let headers: Vec<(&str, &str)> = headers.chain([("Content-Type", "application/json")]).collect();
        let body = body.to_string();
        let answer = post::post_with(&dashboard.url(), "/api/v1/annotations", &headers, body.as_bytes()).unwrap();
        (answer.status, answer.json())
    };
    let undo = json!({"number": "ANNO1", "kind": "NONE", "reason": "it has turned up"});
    let with = |member: &str, value: &str| {
        let mut body = undo.clone();
        body[member] = json!(value);
        body
    };
    for (token, body, status, code) in [
        (None, &undo, 401, "unauthorized"),
        (Some("wrong"), &undo, 401, "unauthorized"),
        (Some(TOKEN), &with("by", "somebody else"), 400, "bad_body"),
        (Some(TOKEN), &with("epoch", "yesterday"), 400, "bad_body"),
        (Some(TOKEN), &with("number", "ANNO0"), 400, "refused"),
        (Some(TOKEN), &with("number", "NOBODY"), 404, "unknown_parcel"),
    ] {
        let (answered, answer) = say(token, body);
        assert_eq!((answered, &answer["error"]["code"]), (status, &json!(code)), "{answer}");
    }
    let (status, answer) = say(Some(TOKEN), &undo);
    assert_eq!(status, 200, "{answer}");
    let description = get(dashboard, "openapi.json");
    assert_described(
        &description,
        &description["components"]["schemas"]["Corrected"],
        &answer,
        "answer",
    );
    let said = [
        &answer["kind"],
        &answer["annotated_by"],
        &answer["before"]["kind"],
        &answer["vendor_status"],
    ];
    assert_eq!(
        said.map(Clone::clone),
        [json!("NONE"), json!("wang.fang"), json!("LOST"), json!("DELIVERED")]
    );
}

/// Through the program: what is refused says why and names the parcel.
fn refusals(stack: &dyn Stack) {
    for (number, what, expected) in [
        ("NOBODY", &["--lost"][..], "the tables have no parcel NOBODY"),
        (
            "ANNO0",
            &["--lost", "--vendor", "kdniao"],
            "the tables have no parcel ANNO0",
        ),
        (
            "ANNO0",
            &["--lost", "--epoch", "2026-07-01"],
            "the tables have no parcel ANNO0",
        ),
        (
            "ANNO0",
            &["--undo"],
            "kuaidi100/demo yunda ANNO0 (life of 2026-08-01): there is no correction that could be taken back",
        ),
        (
            "ANNO0",
            &["--delivered", "--at", "2026-07-31T00:00:00Z"],
            "is before the pickup, 2026-08-01T02:00:00Z",
        ),
        (
            "ANNO0",
            &["--delivered", "--at", "2099-01-01T00:00:00Z"],
            "is in the future",
        ),
        ("ANNO0", &["--lost", "--exclude"], "cannot be used with"),
        ("ANNO0", &[], "--delivered|--lost|--destroyed|--exclude|--undo"),
    ] {
        let said = annotate(stack, number, what).unwrap_err();
        assert!(said.contains(expected), "{number} {what:?}: {said}");
    }
}

fn assert_corrected(after: &Shown) {
    let parcel = |number: &str,
                  status: &str,
                  delivered: bool,
                  exception: bool,
                  transit: Option<i64>,
                  after: Option<i64>| {
        json!({"tracking_number": number, "status": status, "is_delivered": delivered, "is_open": !delivered,
               "is_exception": exception, "transit_seconds": transit, "attempt_seconds": transit, "exception_after": after})
    };
    let destroyed = after
        .parcels
        .iter()
        .find(|row| row["tracking_number"] == "ANNO2")
        .unwrap();
    assert!(
        destroyed["exception_after"].as_i64().unwrap() > 10 * 86_400,
        "when it was said: {destroyed}"
    );
    let mut attempted = parcel("ANNO4", "DELIVERED", true, true, Some(86_400), Some(7_200));
    // The failed attempt of the vendor is the first one.
    attempted["attempt_seconds"] = after.parcels.last().unwrap()["attempt_seconds"].clone();
    let expected = [
        parcel("ANNO0", "IN_TRANSIT", false, false, None, None),
        parcel("ANNO1", "EXCEPTION", false, true, None, Some(2 * 86_400)),
        parcel(
            "ANNO2",
            "EXCEPTION",
            false,
            true,
            None,
            destroyed["exception_after"].as_i64(),
        ),
        attempted,
    ];
    assert_eq!(after.parcels, expected);
    assert_eq!(after.figures[0]["parcels"], 4, "without the excluded one");
    assert_eq!(after.figures[0]["delivered"], 1);
    assert_eq!(after.figures[0]["open"], 3);
    assert_eq!(after.figures[0]["lost_presumed"], 3);
    assert_eq!(after.figures[0]["with_exception"], 3);
    assert_eq!(after.figures[0]["within_72h"], 1);
    let exception = |kind: &str, name: &str| {
        let rows: Vec<&Value> = after
            .exceptions
            .iter()
            .filter(|row| row["kind"] == kind && row["name"] == name)
            .collect();
        assert_eq!(rows.len(), 1, "{kind} {name}: {:?}", after.exceptions);
        [rows[0]["parcels"].as_u64(), rows[0]["settled"].as_u64()].map(Option::unwrap)
    };
    assert_eq!(exception("reason", "LOST"), [1, 1]);
    assert_eq!(exception("reason", "DESTROYED"), [1, 0], "not within 7 days");
    assert_eq!(
        after.open,
        [json!({"tracking_number": "ANNO0", "status": "IN_TRANSIT"})]
    );
    assert_eq!(
        after.order,
        [json!({"parcels": 4, "delivered": 1, "open": 1, "lost": 2, "exceptions": 3})]
    );
}

fn assert_on_page(dashboard: &Service) {
    for (number, status, annotation, at) in [
        ("ANNO1", "IN_TRANSIT", "LOST", Some("2026-08-03T02:00:00Z")),
        ("ANNO3", "IN_TRANSIT", "EXCLUDED", None),
        ("ANNO4", "EXCEPTION", "DELIVERED", Some("2026-08-02T02:00:00Z")),
    ] {
        let answer = ask(dashboard, &format!("parcel?number={number}"));
        let row = &answer["rows"][0];
        let said = [
            &row["status"],
            &row["annotation"],
            &row["annotation_reason"],
            &row["annotated_by"],
            &row["contradicted"],
        ];
        assert_eq!(
            said.map(Clone::clone),
            [
                json!(status),
                json!(annotation),
                json!("the carrier has said so"),
                json!("li.wei"),
                json!(false)
            ],
            "{number}: both words side by side"
        );
        if let Some(at) = at {
            assert_eq!(row["annotation_occurred_at"], at, "{number}");
        }
        assert_eq!(answer["annotations"][0]["kind"], annotation, "{number}");
        assert_eq!(answer["annotations"][0]["seen_status"], status, "{number}");
    }
    assert_eq!(
        ask(dashboard, "parcel?number=ANNO0")["rows"][0]["annotation"],
        json!(null)
    );
    let url = format!("{}/api/v1/annotations?carrier=yunda", dashboard.url());
    let mut answer = agent().get(&url).header("Accept", "text/csv").call().unwrap();
    let csv = answer.body_mut().read_to_string().unwrap();
    assert_eq!(csv.lines().count(), 5, "{csv}");
    assert!(csv.lines().next().unwrap().contains("annotated_by"), "{csv}");
    let of_order = ask(dashboard, "order?reference=SO-17");
    let excluded = of_order["parcels"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["tracking_number"] == "ANNO3");
    assert_eq!(excluded.unwrap()["annotation"], "EXCLUDED", "still found by its order");
}

fn assert_contradicted(dashboard: &Service) {
    let rows = ask(dashboard, "annotations")["rows"].as_array().unwrap().clone();
    let first = [
        &rows[0]["tracking_number"],
        &rows[0]["contradicted"],
        &rows[0]["vendor_status"],
        &rows[0]["annotation"],
    ];
    assert_eq!(
        first.map(Clone::clone),
        [json!("ANNO1"), json!(true), json!("DELIVERED"), json!("LOST")]
    );
    assert_eq!(rows.len(), 4);
    assert!(rows[1..].iter().all(|row| row["contradicted"] == false), "{rows:?}");
}
