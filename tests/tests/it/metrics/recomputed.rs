//! Thousands of parcels of every kind: each view, with several sets of parameters, is compared with the
//! recomputation.

use courierflow_tests::measures::{
    self, Calendar, Promise, Question, Term, Terms, carrier_daily, carrier_scorecard, carrier_trend, data_quality,
    exception_daily, exception_rate, exception_trend, insert_pushes, insert_shipments, insert_transitions,
    lane_transit, measure, open_exceptions, stalled_shipments, timeline, transit_distribution,
};
use courierflow_tests::oracle::{ShipmentRow, expected_tables, workload};
use courierflow_tests::stack::Stack;

use super::{assert_shows, clock, now, plain};
use crate::harness::{processor, tables, with_tables};

const PARCELS: u64 = 2_500;
const PUSHES: usize = 600;

const PROMISES: &str = "carrier,origin,destination,hours,working_days,cutoff
*,*,*,60,,
*,CN44,*,50,,
sf,*,*,40,,
sf,CN4403,CN44,30,,
sf,CN44,CN4403,20,,
jt,CN31,CN31,18,,
zto,*,*,,1,18:00
zto,CN44,*,,2,
zto,CN44,CN31,,0,12:30
zto,CN31,*,24,,
";

fn promises() -> Vec<Promise> {
    let with = |carrier, origin, dest, term| Promise {
        carrier,
        origin,
        dest,
        term,
    };
    let promise = |carrier, origin, dest, hours| with(carrier, origin, dest, Term::Hours(hours));
    vec![
        promise("", "", "", 60),
        promise("", "CN44", "", 50),
        promise("sf", "", "", 40),
        promise("sf", "CN4403", "CN44", 30),
        promise("sf", "CN44", "CN4403", 20),
        promise("jt", "CN31", "CN31", 18),
        with("zto", "", "", Term::WorkingDays(1, 18 * 60)),
        with("zto", "CN44", "", Term::WorkingDays(2, 24 * 60)),
        with("zto", "CN44", "CN31", Term::WorkingDays(0, 12 * 60 + 30)),
        promise("zto", "CN31", "", 24),
    ]
}

/// Ten days of which every one is worked, then eight of which none is, as around a long holiday, and two more.
fn calendar() -> Calendar {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let ago = |days: i64| today.saturating_sub(jiff::Span::new().days(days));
    let worked = (20..30).map(|days| (ago(days), true));
    let free = (12..20).chain(4..6).map(|days| (ago(days), false));
    Calendar::new(worked.chain(free))
}

pub(super) fn load_sla(stack: &dyn Stack, text: &str) -> Result<(), String> {
    load("load-sla", stack, text)
}

pub(super) fn load_calendar(stack: &dyn Stack, text: &str) -> Result<(), String> {
    load("load-calendar", stack, text)
}

fn load(command: &str, stack: &dyn Stack, text: &str) -> Result<(), String> {
    let file = stack.dir().join(format!("{command}.csv"));
    std::fs::write(&file, text).unwrap();
    let launch = processor(command, stack).arg(file.display().to_string());
    launch.run_to_end(command, stack).map_err(|error| format!("{error:#}"))
}

#[test]
fn every_figure_equals_the_recomputation() {
    let stack = with_tables("metrics");
    let mut rows = measures::shipments(7, PARCELS, now());
    // Rows as derived from pushes; long ago, so in the older table.
    rows.extend(expected_tables(&workload(7, PUSHES)).shipment);
    let (standing, retracted) = measures::transitions_of(&rows);
    let pushes = measures::pushes_of(&rows);
    tables::execute(&stack, &insert_shipments("courier", &older_versions(&rows)));
    tables::execute(&stack, &insert_shipments("courier", &rows));
    tables::execute(&stack, &insert_transitions("courier", &standing, &retracted));
    tables::execute(&stack, &insert_pushes("courier", &pushes));

    // First without promises and calendar, so with the defaults; then with promises; then with a calendar; then once more, because a
    // refresh must change only the time.
    let (promises, days_of_the_week, calendar) = (promises(), Calendar::default(), calendar());
    let terms = |promises, calendar| Terms { promises, calendar };
    tables::refresh_metrics(&stack);
    assert_counts(&stack, &rows, terms(&[], &days_of_the_week));
    load_sla(&stack, PROMISES).unwrap();
    tables::refresh_metrics(&stack);
    assert_counts(&stack, &rows, terms(&promises, &days_of_the_week));
    load_calendar(&stack, &calendar.file()).unwrap();
    tables::refresh_metrics(&stack);
    assert_counts(&stack, &rows, terms(&promises, &calendar));
    assert_answers(&stack, &rows, terms(&promises, &calendar));
    plain::assert_they_show_what_the_others_show(&stack);
    tables::refresh_metrics(&stack);
    assert_counts(&stack, &rows, terms(&promises, &calendar));

    let refreshed_at = |table: &str| {
        let sql = format!("SELECT toUnixTimestamp(max(refreshed_at)) AS at FROM courier.{table}");
        tables::rows(&stack, &sql)[0]["at"].as_i64().unwrap()
    };
    let open_at = refreshed_at("open_parcel");
    let key = ["carrier", "tracking_number", "vendor", "epoch"];
    assert_shows(&stack, "open_exceptions", &key, &open_exceptions(&rows, open_at));
    assert_shows(
        &stack,
        "stalled_shipments",
        &key,
        &stalled_shipments(&rows, open_at, now()),
    );
    let quality = data_quality(
        &rows,
        &pushes,
        &standing,
        &retracted,
        refreshed_at("data_quality_daily"),
    );
    assert_shows(
        &stack,
        "data_quality",
        &["received_date", "vendor", "carrier"],
        &quality,
    );

    for number in rows.iter().step_by(97).map(|row| &row.tracking_number) {
        let what = format!(
            "shipment_timeline WHERE tracking_number = '{}'",
            number.replace('\'', "\\'")
        );
        let key = ["carrier", "vendor", "epoch", "occurred_at", "from_status", "to_status"];
        assert_shows(&stack, &what, &key, &timeline(&standing, number));
    }
}

/// Versions that FINAL must hide, of every third shipment: another lane and another day.
fn older_versions(rows: &[ShipmentRow]) -> Vec<ShipmentRow> {
    let older = |row: &ShipmentRow| {
        let mut row = row.clone();
        row.version -= 1;
        row.status = String::from("DELIVERED");
        row.delivered_at = row.picked_up_at.map(|time| time + 3600);
        row.origin_code = Some("CN530102000000".to_owned());
        row.picked_up_at = row.picked_up_at.map(|time| time - 3 * 86_400);
        row
    };
    rows.iter().step_by(3).map(older).collect()
}

fn questions() -> Vec<Question> {
    let question = |from_date: &str, to_date: &str, vendor: &str, origin: &str, dest: &str| Question {
        from_date: from_date.to_owned(),
        to_date: to_date.to_owned(),
        vendor: vendor.to_owned(),
        origin: origin.to_owned(),
        dest: dest.to_owned(),
    };
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let ago = |days: i64| today.saturating_sub(jiff::Span::new().days(days)).to_string();
    vec![
        question("2000-01-01", "2100-01-01", "", "", ""),
        question(&ago(9), &ago(2), "", "", ""),
        question(&ago(60), &ago(20), "kdniao", "CN44", ""),
        question(&ago(40), &ago(0), "", "CN4403", "CN31"),
        question(&ago(40), &ago(0), "", "", "CN3301"),
        // No rows: reversed dates, or a place that does not exist.
        question(&ago(2), &ago(9), "", "", ""),
        question(&ago(40), &ago(0), "", "CN9999", ""),
    ]
}

/// The counts by cohort.
fn assert_counts(stack: &dyn Stack, rows: &[ShipmentRow], terms: Terms<'_>) {
    let parcels = measure(rows, terms, clock(stack, "carrier_daily"));
    let key = ["level", "cohort_date", "vendor", "carrier", "origin", "dest"];
    assert_shows(stack, "carrier_daily", &key, &carrier_daily(&parcels));
    let parcels = measure(rows, terms, clock(stack, "exception_daily"));
    let key = [
        "level",
        "cohort_date",
        "vendor",
        "carrier",
        "origin",
        "dest",
        "kind",
        "name",
    ];
    assert_shows(stack, "exception_daily", &key, &exception_daily(&parcels));
}

/// The rows of the views for several sets of parameters.
fn assert_answers(stack: &dyn Stack, rows: &[ShipmentRow], terms: Terms<'_>) {
    let parcels = measure(rows, terms, clock(stack, "carrier_daily"));
    // Refreshed a little later.
    let troubled = measure(rows, terms, clock(stack, "exception_daily"));
    for question in questions() {
        let parameters = question.parameters();
        let asked = |view: &str| format!("{view}({parameters})");
        assert_shows(
            stack,
            &asked("carrier_scorecard"),
            &["carrier"],
            &carrier_scorecard(&parcels, &question),
        );
        assert_shows(
            stack,
            &asked("carrier_trend"),
            &["cohort_date", "carrier"],
            &carrier_trend(&parcels, &question),
        );
        let expected = transit_distribution(&parcels, &question);
        assert_shows(stack, &asked("transit_distribution"), &["carrier", "hours"], &expected);
        for (carrier, level) in [("", "province"), ("sf", "city")] {
            let what = format!("lane_transit({parameters}, carrier = '{carrier}', lane_level = '{level}')");
            let expected = lane_transit(&parcels, &question, carrier, level);
            assert_shows(stack, &what, &["origin", "dest"], &expected);
        }
        let expected = exception_rate(&parcels, &troubled, &question);
        assert_shows(
            stack,
            &asked("exception_rate"),
            &["carrier", "kind", "vendor", "name"],
            &expected,
        );
        for carrier in ["", "zto"] {
            let what = format!("exception_trend({parameters}, carrier = '{carrier}')");
            let expected = exception_trend(&parcels, &troubled, &question, carrier);
            assert_shows(stack, &what, &["cohort_date", "kind", "vendor", "name"], &expected);
        }
    }
}

#[test]
fn a_bad_file_of_promises_changes_nothing() {
    let stack = with_tables("metrics-promises");
    let promises = || tables::rows(&stack, "SELECT * FROM courier.sla_promise ORDER BY ALL");
    load_sla(&stack, PROMISES).unwrap();
    let before = promises();
    assert_eq!(before.len(), 10);

    let error = load_sla(&stack, &format!("{PROMISES}sf,CN44,CN4403,24,,\n")).unwrap_err();
    assert!(
        error.contains("line 12: the same carrier, origin and destination as in line 6"),
        "{error}"
    );
    let error = load_sla(&stack, &format!("{PROMISES}sf,CN44,CN4401,soon,,\n")).unwrap_err();
    assert!(
        error.contains("line 12: hours \"soon\" is not a whole number"),
        "{error}"
    );
    assert_eq!(promises(), before);

    load_sla(&stack, "carrier,origin,destination,hours\n").unwrap();
    assert_eq!(
        promises(),
        Vec::<serde_json::Value>::new(),
        "an empty file takes all promises back"
    );
}
