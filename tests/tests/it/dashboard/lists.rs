//! The parcels behind the figures, in pages and as files.

use std::collections::BTreeSet;

use serde_json::Value;

use super::data::{FORMULA_NUMBER, ODD_NUMBER, old_day, pickup_day, today};
use super::{Dashboard, columns, days, shared};
use crate::harness::agent;

/// All pages of a list. Each parcel once, in one order, and no page larger than asked for.
fn parcels(dashboard: &Dashboard, query: &str, limit: usize) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let cursor_value: String = form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        let page = dashboard.ask("parcels", &format!("{query}&limit={limit}&cursor={cursor_value}"));
        let rows = page["rows"].as_array().unwrap();
        assert!(rows.len() <= limit, "{query}: {}", rows.len());
        found.extend(rows.iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(rows.len(), limit, "{query}: a page before the last one is full");
        next.clone_into(&mut cursor);
    }
    let key = |row: &Value| {
        ["carrier", "tracking_number", "vendor", "epoch"].map(|name| row[name].as_str().unwrap().to_owned())
    };
    let keys: Vec<_> = found.iter().map(key).collect();
    let distinct: BTreeSet<_> = keys.iter().cloned().collect();
    assert_eq!(
        keys,
        distinct.into_iter().collect::<Vec<_>>(),
        "{query}: once each, in order"
    );
    found
}

/// How many a figure counted, from the row that shows it.
fn counted(row: &Value, figure: &str) -> u64 {
    let number = |name: &str| row[name].as_f64().unwrap_or_default();
    let with = |rate: &str, of: &str| number(rate) * number(of);
    let without = |rate: &str, of: &str| number(of) - with(rate, of);
    let parcels = match figure {
        "parcels" | "delivered" | "open" | "lost_presumed" => number(figure),
        "late_48h" => without("rate_48h", "due_48h"),
        "late_72h" => without("rate_72h", "due_72h"),
        "not_on_time" => without("on_time_rate", "sla_due"),
        "not_first_attempt" => without("first_attempt_cn_rate", "settled_attempted"),
        "exception" => with("exception_rate", "settled"),
        "returned" => with("return_rate", "settled"),
        "eta_missed" => without("eta_hit_rate", "eta_due"),
        other => panic!("{other}"),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of a few parcels"
    )]
    let parcels = parcels.round() as u64;
    parcels
}

const FIGURES: [&str; 11] = [
    "parcels",
    "delivered",
    "open",
    "late_48h",
    "late_72h",
    "not_on_time",
    "not_first_attempt",
    "exception",
    "returned",
    "eta_missed",
    "lost_presumed",
];

/// Cohorts that are counted every ten minutes, once a day, and of both kinds together.
fn ranges() -> [String; 3] {
    let range = |from, to| format!("from={from}&to={to}");
    [
        range(pickup_day(), today()),
        range(old_day(), old_day()),
        range(old_day(), today()),
    ]
}

#[test]
fn the_parcels_of_a_carrier_are_those_that_each_figure_counted() {
    let dashboard = shared();
    let mut compared = BTreeSet::new();
    for range in ranges() {
        let scorecard = dashboard.ask("scorecard", &range);
        let carriers = scorecard["rows"].as_array().unwrap();
        assert!(!carriers.is_empty(), "{range}");
        for figure in FIGURES {
            // Of all carriers at once: planning a statement takes longer than these parcels do.
            let listed = parcels(&dashboard, &format!("{range}&figure={figure}"), 60);
            for row in carriers {
                let of_carrier = listed.iter().filter(|parcel| parcel["carrier"] == row["carrier"]);
                let expected = counted(row, figure);
                assert_eq!(
                    of_carrier.count() as u64,
                    expected,
                    "{} {figure} {range}",
                    row["carrier"]
                );
                if expected > 0 {
                    compared.insert(figure);
                }
            }
            let of_nobody = |parcel: &&Value| carriers.iter().all(|row| row["carrier"] != parcel["carrier"]);
            assert_eq!(listed.iter().find(of_nobody), None, "{figure} {range}");
        }
    }
    // None of the parcels misses its estimate; all other figures had parcels.
    let never: Vec<_> = FIGURES.iter().filter(|figure| !compared.contains(*figure)).collect();
    assert_eq!(never, [&"eta_missed"]);
}

#[test]
fn who_is_listed_can_be_told_by_hand() {
    let dashboard = shared();
    let day = days(0, 0);
    let numbers = |query: &str| -> Vec<String> {
        let listed = parcels(&dashboard, &format!("{day}&{query}"), 500);
        let number = |row: &Value| row["tracking_number"].as_str().unwrap().to_owned();
        listed.iter().map(number).collect()
    };
    let of = |prefix: &str, count: usize| -> Vec<String> {
        (0..count).map(|number| format!("{prefix}{number:03}")).collect()
    };
    for (query, expected) in [
        // Those that have not arrived.
        ("carrier=zto&figure=late_72h", of("ZTO2", 10)),
        ("carrier=jt&figure=returned", of("JT4", 12)),
        ("carrier=jt&status=EXCEPTION", of("JT5", 8)),
        ("carrier=jt&reason=REFUSED", of("JT4", 12)),
        ("code=405&vendor=kdniao", of("JT5", 8)),
        ("code=405&vendor=kuaidi100", of("", 0)),
        ("party=consignee", of("JT4", 12)),
        ("carrier=jt&figure=open&reason=DELIVERY_FAILED", of("JT5", 8)),
        ("origin=CN33&dest=CN44&figure=delivered", of("JT3", 20)),
        ("carrier=sf&figure=late_48h", of("", 0)),
    ] {
        assert_eq!(numbers(query), expected, "{query}");
    }
    let one = dashboard.ask("parcels", &format!("{day}&carrier=zto&limit=1"));
    let row = &one["rows"][0];
    assert_eq!(row["exception_codes"][0], "204");
    assert_eq!(row["exception_reasons"][0], "DELIVERY_FAILED");
    assert_eq!(row["transit_hours"], 50);
    assert_eq!(row["cohort_date"], pickup_day().to_string());
    assert_eq!(parcels(&dashboard, &format!("{day}&carrier=zto"), 9).len(), 40);
    let nobody = dashboard.ask("parcels", &format!("{day}&carrier=sf&figure=late_48h&status=EXCEPTION"));
    let explanation = nobody["explanation"].as_str().unwrap();
    assert!(
        explanation.contains("figure late_48h, status EXCEPTION"),
        "{explanation}"
    );
}

#[test]
fn the_parcels_of_a_code_a_reason_and_a_party_are_those_that_were_counted() {
    let dashboard = shared();
    let [.., range] = ranges();
    let answer = dashboard.ask("exceptions", &range);
    let codes = answer["codes"].as_array().unwrap();
    let rates = answer["rates"].as_array().unwrap();
    assert!(!codes.is_empty() && !rates.is_empty());
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let of_codes = codes.iter().map(|row| {
        (
            row,
            format!("code={}&vendor={}", text(row, "name"), text(row, "vendor")),
        )
    });
    let of_rates = rates.iter().map(|row| {
        let [carrier, kind, name] = ["carrier", "kind", "name"].map(|name| text(row, name));
        (row, format!("carrier={carrier}&{kind}={name}"))
    });
    for (row, query) in of_codes.chain(of_rates) {
        let listed = parcels(&dashboard, &format!("{range}&{query}"), 20);
        assert_eq!(listed.len() as u64, row["settled_with"].as_u64().unwrap(), "{query}");
    }
}

#[test]
fn the_parcels_of_a_lane_and_of_a_point_are_those_that_were_counted() {
    let dashboard = shared();
    let range = format!("from={}&to={}", pickup_day(), today());
    let lanes = dashboard.ask("lanes", &range);
    let mut compared = 0;
    for row in lanes["rows"].as_array().unwrap() {
        let (origin, dest) = (row["origin"].as_str().unwrap(), row["dest"].as_str().unwrap());
        if origin.is_empty() || dest.is_empty() {
            continue;
        }
        for figure in ["parcels", "late_72h", "not_on_time", "exception"] {
            let query = format!("{range}&origin={origin}&dest={dest}&figure={figure}");
            assert_eq!(
                parcels(&dashboard, &query, 500).len() as u64,
                counted(row, figure),
                "{query}"
            );
            compared += 1;
        }
    }
    assert!(compared > 0);

    // A point is of the week up to its day.
    let week = |day: &Value| {
        let day: jiff::civil::Date = day.as_str().unwrap().parse().unwrap();
        format!("from={}&to={day}", day.checked_sub(jiff::Span::new().days(6)).unwrap())
    };
    let trend = dashboard.ask("trend", &days(-1, 7));
    for row in trend["rows"].as_array().unwrap() {
        let query = format!("{}&carrier={}", week(&row["day"]), row["carrier"].as_str().unwrap());
        let expected = row["transit_parcels"].as_u64().unwrap();
        assert_eq!(parcels(&dashboard, &query, 500).len() as u64, expected, "{query}");
        let late = counted(row, "late_72h");
        assert_eq!(
            parcels(&dashboard, &format!("{query}&figure=late_72h"), 500).len() as u64,
            late,
            "{query}"
        );
    }
    let exceptions = dashboard.ask("exceptions", &days(0, 6));
    for row in exceptions["days"].as_array().unwrap() {
        let text = |name: &str| row[name].as_str().unwrap();
        let query = format!("{}&vendor={}&code={}", week(&row["day"]), text("vendor"), text("name"));
        assert_eq!(
            parcels(&dashboard, &query, 500).len() as u64,
            row["settled_with"].as_u64().unwrap(),
            "{query}"
        );
    }
}

#[test]
fn a_chip_chooses_the_parcels_that_it_counts() {
    let dashboard = shared();
    for (path, column) in [("open-exceptions", "reason"), ("stalled", "status")] {
        let all = dashboard.ask(path, "limit=500");
        let chips: BTreeSet<&str> = all["counts"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|row| row[column].as_str())
            .collect();
        assert!(!chips.is_empty());
        for chip in chips {
            let chosen = dashboard.ask(path, &format!("limit=500&{column}={chip}"));
            let counts = chosen["counts"].as_array().unwrap();
            // Not the longest wait, which grows while they are compared.
            let groups = |answer: &Value| columns(&answer["counts"], &["carrier", column, "parcels"]);
            assert_eq!(
                groups(&all),
                groups(&chosen),
                "a chip does not change what the others count"
            );
            let of_chip = counts.iter().filter(|row| row[column] == chip);
            let expected: u64 = of_chip.map(|row| row["parcels"].as_u64().unwrap()).sum();
            let rows = chosen["rows"].as_array().unwrap();
            assert_eq!(rows.len() as u64, expected, "{path} {chip}");
            assert!(rows.iter().all(|row| row[column] == chip));
        }
    }
}

/// An answer as CSV: status, headers and text.
fn csv(dashboard: &Dashboard, path: &str) -> (u16, String, String) {
    let request = agent().get(format!("{}/api/v1/{path}", dashboard.service.url()));
    let mut answer = request.header("accept", "text/csv").call().unwrap();
    let headers = format!("{:?}", answer.headers());
    (
        answer.status().as_u16(),
        headers,
        answer.body_mut().read_to_string().unwrap(),
    )
}

fn records(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let record = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    (head, reader.records().map(|found| record(found.unwrap())).collect())
}

/// The CSV of every member of every answer has the rows and columns of the JSON.
#[test]
fn every_table_is_there_as_csv() {
    let dashboard = shared();
    let range = days(0, 0);
    for (path, query, tables) in [
        ("scorecard", range.as_str(), &["rows"][..]),
        ("trend", &range, &["rows"]),
        ("transit", &range, &["rows"]),
        ("exceptions", &range, &["codes", "days", "rates", "cohort"]),
        ("lanes", &range, &["rows"]),
        ("parcels", &range, &["rows"]),
        ("open-exceptions", "", &["rows", "counts"]),
        ("stalled", "", &["rows", "counts"]),
        ("parcel", "number=ZTO1000", &["rows", "timeline", "annotations"]),
        ("annotations", "", &["rows"]),
        ("pipeline", "", &["hours", "vendors"]),
        ("quality", "", &["rows"]),
        ("performance-changes", "", &["rows", "counts"]),
        ("unknown-wording", "", &["rows"]),
        ("subscriptions", "", &["rows", "counts", "states"]),
        ("subscription", "number=WEB4", &["rows"]),
        ("vendor-calls", "number=WEB4", &["rows"]),
        ("vendor-answers", "", &["codes", "days"]),
        ("coverage", "", &["accounts", "days"]),
        ("quota", "", &["rows"]),
        ("cost", "", &["rows"]),
        ("completeness", "", &["rows"]),
    ] {
        let limit = if path == "parcels" { "&limit=500" } else { "" };
        let answer = dashboard.ask(path, &format!("{query}{limit}"));
        for table in tables {
            let which = if tables.len() > 1 {
                format!("&table={table}")
            } else {
                String::new()
            };
            let (status, headers, text) = csv(&dashboard, &format!("{path}?{query}{which}"));
            assert_eq!(status, 200, "{path} {table}: {text}");
            assert!(headers.contains("text/csv; charset=utf-8; header=present"), "{headers}");
            assert!(
                headers.contains("no-store") && headers.contains("attachment; filename="),
                "{headers}"
            );
            assert!(
                !text.starts_with('\u{feff}') && text.ends_with("\r\n"),
                "{path} {table}"
            );
            let (head, rows) = records(&text);
            let expected = answer[table].as_array().unwrap();
            assert_eq!(rows.len(), expected.len(), "{path} {table}");
            if let Some(first) = expected.first() {
                let names: BTreeSet<&String> = first.as_object().unwrap().keys().collect();
                assert_eq!(head.iter().collect::<BTreeSet<_>>(), names, "{path} {table}");
            }
        }
    }
}

#[test]
fn a_file_has_what_the_filters_choose_and_no_formula() {
    let dashboard = shared();
    let column = |path: &str, name: &str| -> Vec<String> {
        let (_, _, text) = csv(&dashboard, path);
        let (head, rows) = records(&text);
        let place = head.iter().position(|column| column == name).unwrap();
        rows.into_iter().map(|row| row[place].clone()).collect()
    };
    let old = format!("from={0}&to={0}", old_day());
    let numbers = column(&format!("parcels?{old}"), "tracking_number");
    assert_eq!(numbers.len(), 10);
    assert!(numbers.contains(&format!("'{FORMULA_NUMBER}")), "{numbers:?}");
    assert!(!numbers.iter().any(|number| number.starts_with('=')));
    let young = format!("parcels?from={}&to={}&carrier=nobody", pickup_day(), today());
    assert_eq!(column(&young, "tracking_number"), [ODD_NUMBER]);
    assert_eq!(column(&young, "transit_hours"), [""], "what is unknown is nothing");
    let failed = column(&format!("parcels?{}&figure=late_72h", days(0, 0)), "carrier");
    assert_eq!(failed.iter().filter(|carrier| *carrier == "zto").count(), 10);
    assert_eq!(column("stalled?status=EXCEPTION", "status").len(), 8);
    assert_eq!(column("stalled?limit=3", "status").len(), 3);

    // Errors are those of the API, whatever was asked for.
    for (path, status, code) in [
        ("parcels?limit=100001", 400, "bad_limit"),
        ("parcels?from=yesterday", 400, "bad_date"),
        ("exceptions?table=nosuch", 400, "unknown_table"),
        ("scorecard?table=rows", 400, "bad_parameter"),
    ] {
        let (found, headers, text) = csv(&dashboard, path);
        assert_eq!(found, status, "{path}");
        assert!(
            headers.contains("application/json") && text.contains(code),
            "{path}: {text}"
        );
    }
    assert_eq!(csv(&dashboard, "parcels?limit=100000").0, 200);
}
