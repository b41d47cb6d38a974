//! Examples worked out by hand: what each definition means for a handful of parcels.

use courierflow_tests::measures::{insert_shipments, shipment_at};
use courierflow_tests::oracle::{EventRow, ShipmentRow};
use courierflow_tests::stack::Stack;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::now;
use crate::harness::{tables, with_tables};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Parcels of one carrier, all picked up at the same time.
struct Cohort {
    carrier: &'static str,
    picked_up_at: i64,
    parcels: Vec<ShipmentRow>,
}

impl Cohort {
    fn picked_up(carrier: &'static str, ago: i64) -> Self {
        // Noon in China: a cohort is one day.
        let noon = (now() - ago + 8 * HOUR).div_euclid(DAY) * DAY + 4 * HOUR;
        Self::picked_up_at(carrier, noon)
    }

    fn picked_up_at(carrier: &'static str, picked_up_at: i64) -> Self {
        Self {
            carrier,
            picked_up_at,
            parcels: Vec::new(),
        }
    }

    /// Adds a parcel that is under way, to be modified; its first event is the pickup.
    fn parcel(&mut self, change: impl FnOnce(&mut ShipmentRow, i64)) {
        let number = format!("{}{}-{}", self.carrier, self.picked_up_at, self.parcels.len());
        let mut row = shipment_at(self.carrier, &number, self.picked_up_at);
        row.picked_up_at = Some(self.picked_up_at);
        change(&mut row, self.picked_up_at);
        self.parcels.push(row);
    }

    fn delivered_after(&mut self, hours: i64) {
        self.parcel(|row, start| deliver(row, start + hours * HOUR));
    }

    /// Half of them within one city after 20 h; the others to another place after the given number of hours, or
    /// never.
    fn near_and_far(&mut self, dest: &str, hours: Option<i64>) {
        for _ in 0..40 {
            self.parcel(|row, start| {
                go(row, "CN440305000000");
                deliver(row, start + 20 * HOUR);
            });
            self.parcel(|row, start| {
                go(row, dest);
                if let Some(hours) = hours {
                    deliver(row, start + hours * HOUR);
                    forget_after(row, now());
                }
            });
        }
    }
}

/// From Shenzhen to a place.
fn go(row: &mut ShipmentRow, dest: &str) {
    row.origin_code = Some("CN440305000000".to_owned());
    row.dest_code = Some(dest.to_owned());
}

fn deliver(row: &mut ShipmentRow, at: i64) {
    row.status = String::from("DELIVERED");
    row.delivered_at = Some(at);
    row.first_attempt_at = row.first_attempt_at.or(Some(at));
    row.attempts = row.attempts.max(1);
}

fn fail(row: &mut ShipmentRow, at: i64, code: &str, reason: &str) {
    row.first_attempt_at = row.first_attempt_at.or(Some(at));
    trouble(row, at, code, reason);
}

/// An exception that is not an attempt.
fn trouble(row: &mut ShipmentRow, at: i64, code: &str, reason: &str) {
    row.exception_codes = vec![code.to_owned()];
    row.exception_reasons = vec![reason.to_owned()];
    row.event.push(EventRow {
        status: String::from("EXCEPTION"),
        sub_status: Some(reason.to_owned()),
        raw_code: Some(code.to_owned()),
        ..event(at, at + 8 * HOUR)
    });
    row.received_at = row.received_at.max(at * 1_000_000);
}

fn event(occurred_at: i64, local_seconds: i64) -> EventRow {
    EventRow {
        id: occurred_at.to_string(),
        occurred_at,
        local_time: Timestamp::from_second(local_seconds)
            .unwrap()
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        status: String::from("IN_TRANSIT"),
        sub_status: None,
        raw_code: None,
        segment: String::from("ORIGIN"),
        area_code: None,
        location: None,
        context: String::new(),
        origin: String::from("PUSH"),
        area: None,
    }
}

fn score(stack: &dyn Stack, carrier: &str) -> Option<Value> {
    let sql = format!(
        "SELECT * FROM courier.carrier_scorecard(from_date = '2000-01-01', to_date = '2100-01-01', vendor = '', origin = '', \
         dest = '') WHERE carrier = '{carrier}'"
    );
    tables::rows(stack, &sql).pop()
}

/// The named columns of a scorecard.
fn assert_scores(stack: &dyn Stack, carrier: &str, expected: &[(&str, Value)]) {
    let row = score(stack, carrier).unwrap_or_else(|| panic!("{carrier} has no row"));
    for (column, value) in expected {
        // 20 and 20.0 are the same.
        let is_same = row[*column] == *value || row[*column].is_number() && row[*column].as_f64() == value.as_f64();
        assert!(is_same, "{carrier} {column} is not {value} in {row}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "examples, one after the other")]
fn the_definitions_on_parcels_counted_by_hand() {
    let stack = with_tables("metrics-examples");
    let mut all = Vec::new();

    // Half of the cohort is still under way after ten days.
    let mut half = Cohort::picked_up("half", 10 * DAY);
    for _ in 0..5 {
        half.delivered_after(20);
        half.parcel(|_, _| {});
    }
    all.extend(half.parcels);

    // Two delivered, one back with its sender, one on its way back.
    let mut returns = Cohort::picked_up("returns", 10 * DAY);
    returns.delivered_after(30);
    returns.delivered_after(30);
    returns.parcel(|row, start| {
        fail(row, start + 40 * HOUR, "203", "REFUSED");
        row.status = String::from("RETURNED");
        row.returning_at = Some(start + 60 * HOUR);
        row.returned_at = Some(start + 120 * HOUR);
    });
    returns.parcel(|row, start| {
        row.status = String::from("RETURNING");
        row.returning_at = Some(start + 60 * HOUR);
    });
    all.extend(returns.parcels);

    // A parcel that was moved to another carrier.
    let mut wrong = Cohort::picked_up("wrong", 10 * DAY);
    wrong.parcel(|row, _| row.tracking_state = "CARRIER_CORRECTED".to_owned());
    let mut right = Cohort::picked_up("right", 10 * DAY);
    right.delivered_after(24);
    all.extend(wrong.parcels);
    all.extend(right.parcels);

    // The first attempt fails within the promise, the second succeeds after 76 h.
    let mut again = Cohort::picked_up("again", 10 * DAY);
    again.parcel(|row, start| {
        fail(row, start + 50 * HOUR, "204", "DELIVERY_FAILED");
        deliver(row, start + 76 * HOUR);
        row.attempts = 2;
    });
    all.extend(again.parcels);

    // Put into a locker at the first attempt: one collected in time, one too late.
    let mut locker = Cohort::picked_up("locker", 10 * DAY);
    for (hours, is_overdue) in [(5, false), (30, true)] {
        locker.parcel(|row, start| {
            row.available_at = Some(start + 20 * HOUR);
            row.first_attempt_at = row.available_at;
            deliver(row, start + (20 + hours) * HOUR);
            if is_overdue {
                trouble(row, start + 38 * HOUR, "205", "PICKUP_OVERDUE");
            }
        });
    }
    all.extend(locker.parcels);

    // 30 h: too late within a city, in time on a lane that is not known.
    let mut city = Cohort::picked_up("city", 10 * DAY);
    for code in [Some("CN440305000000"), None] {
        city.parcel(|row, start| {
            row.origin_code = code.map(str::to_owned);
            row.dest_code = code.map(str::to_owned);
            deliver(row, start + 30 * HOUR);
        });
    }
    all.extend(city.parcels);

    // Without a route: the destination of the delivered half is that of their last scan, that of the others is unknown.
    let mut inferred = Cohort::picked_up("inferred", 10 * DAY);
    for _ in 0..5 {
        for is_delivered in [true, false] {
            inferred.parcel(|row, start| {
                row.flags = vec!["lane_inferred".to_owned()];
                row.origin_code = Some("CN440305000000".to_owned());
                if is_delivered {
                    row.dest_code = Some("CN440305000000".to_owned());
                    deliver(row, start + 30 * HOUR);
                }
            });
        }
    }
    all.extend(inferred.parcels);

    // To Japan and back: no promise, so neither late nor lost.
    let mut abroad = Cohort::picked_up("abroad", 20 * DAY);
    abroad.parcel(|row, start| {
        row.event = vec![
            event(start, start + 9 * HOUR),
            event(start + DAY, start + DAY + 8 * HOUR),
        ];
        row.flags = vec!["cross_border".to_owned()];
    });
    all.extend(abroad.parcels);

    // Given up by the vendor because nothing changed, with a promise by which it is not lost yet.
    for (carrier, vendor) in [("stale", "kuaidi100"), ("hasty", "kdniao")] {
        let mut cohort = Cohort::picked_up(carrier, 8 * DAY);
        cohort.parcel(|row, _| {
            row.vendor = vendor.to_owned();
            row.tracking_state = "ABORTED_STALE".to_owned();
        });
        all.extend(cohort.parcels);
    }

    // Delivered before it was picked up, after more than 180 days, and cancelled: no figures.
    let mut odd = Cohort::picked_up("odd", 200 * DAY);
    odd.parcel(|row, start| deliver(row, start - 1));
    odd.parcel(|row, start| deliver(row, start + 180 * DAY + 1));
    odd.parcel(|row, _| row.status = "CANCELLED".to_owned());
    odd.delivered_after(10);
    all.extend(odd.parcels);

    tables::execute(&stack, &insert_shipments("courier", &all));
    tables::refresh_metrics(&stack);

    let null = Value::Null;
    assert_scores(
        &stack,
        "half",
        &[
            ("parcels", json!(10)),
            ("open", json!(5)),
            ("p50_hours", json!(20.0)),
            // Over the delivered parcels alone it would be 20 h.
            ("p90_hours", null.clone()),
            ("rate_24h", json!(0.5)),
            ("rate_72h", json!(0.5)),
            ("on_time_rate", json!(0.5)),
            // Ten days are less than 72 h + 7 days + what is left of the day of the pickup.
            ("maturity", json!(1.0)),
            ("first_attempt_rate", json!(1.0)),
        ],
    );
    assert_scores(
        &stack,
        "returns",
        &[
            ("parcels", json!(4)),
            ("delivered", json!(2)),
            ("sent_back", json!(1)),
            ("open", json!(1)),
            ("returned", json!(2)),
            ("p50_hours", json!(30.0)),
            ("p90_hours", null.clone()),
            ("return_rate", json!(0.5)),
            ("refusal_rate", json!(0.25)),
            ("exception_rate", json!(0.25)),
            ("rate_72h", json!(0.5)),
        ],
    );
    assert_eq!(score(&stack, "wrong"), None, "a corrected carrier leaves all metrics");
    assert_scores(&stack, "right", &[("parcels", json!(1)), ("rate_24h", json!(1.0))]);
    assert_scores(
        &stack,
        "again",
        &[
            ("p50_hours", json!(76.0)),
            ("attempt_p50_hours", json!(50.0)),
            ("on_time_rate", json!(1.0)),
            ("on_time_delivered_rate", json!(0.0)),
            ("rate_72h", json!(0.0)),
            ("first_attempt_rate", json!(0.0)),
            ("first_attempt_cn_rate", json!(0.0)),
            ("exception_rate", json!(1.0)),
        ],
    );
    assert_scores(
        &stack,
        "locker",
        &[
            ("first_attempt_rate", json!(0.0)),
            ("first_attempt_cn_rate", json!(0.5)),
            ("locker_share", json!(1.0)),
            ("locker_p50_hours", json!(5.0)),
            ("locker_overdue_rate", json!(0.5)),
            ("attempt_p50_hours", json!(20.0)),
        ],
    );
    assert_scores(
        &stack,
        "city",
        &[
            ("on_time_rate", json!(0.5)),
            ("rate_24h", json!(0.0)),
            ("rate_48h", json!(1.0)),
        ],
    );
    assert_scores(
        &stack,
        "inferred",
        &[
            // On the lane of the delivered parcels it would be 1, and with a promise of 24 h on time would be 0.
            ("rate_48h", json!(0.5)),
            ("on_time_rate", json!(0.5)),
        ],
    );
    assert_eq!(
        tables::rows(
            &stack,
            "SELECT origin, dest, sum(parcels) AS parcels, sum(delivered) AS delivered FROM courier.carrier_daily \
             WHERE level = 'city' AND carrier = 'inferred' GROUP BY origin, dest"
        ),
        vec![json!({"origin": "CN4403", "dest": "", "parcels": 10, "delivered": 5})],
        "all are on one lane, and it is not one within the city"
    );
    assert_scores(
        &stack,
        "abroad",
        &[
            ("parcels", json!(1)),
            ("sla_due", json!(0)),
            ("lost_presumed", json!(0)),
        ],
    );
    assert_scores(&stack, "stale", &[("lost_presumed", json!(1))]);
    assert_scores(&stack, "hasty", &[("lost_presumed", json!(0))]);
    assert_scores(
        &stack,
        "odd",
        &[
            ("parcels", json!(3)),
            ("cancelled", json!(1)),
            ("delivered", json!(3)),
            ("transit_parcels", json!(1)),
            ("p95_hours", json!(10.0)),
            ("rate_24h", json!(1.0)),
        ],
    );
}

#[test]
fn refreshes_that_lag_behind_each_other_contradict_nothing() {
    let stack = with_tables("metrics-lag");
    // A parcel in the ten days of both tables, and the only one of its day.
    let mut corrected = Cohort::picked_up("corrected", 35 * DAY);
    corrected.delivered_after(20);
    let mut trouble = Cohort::picked_up("trouble", 10 * DAY);
    trouble.parcel(refuse);
    let mut rows = corrected.parcels.clone();
    rows.extend(trouble.parcels.clone());
    tables::execute(&stack, &insert_shipments("courier", &rows));
    tables::refresh_metrics(&stack);
    assert_scores(&stack, "corrected", &[("parcels", json!(1))]);

    // The vendor moves it to another carrier, and only the recent table is refreshed.
    for row in &mut corrected.parcels {
        row.version += 1;
        row.tracking_state = "CARRIER_CORRECTED".to_owned();
    }
    tables::execute(&stack, &insert_shipments("courier", &corrected.parcels));
    tables::refresh(&stack, "carrier_daily_recent");
    assert_eq!(score(&stack, "corrected"), None, "the older table still has it");

    // Two more with an exception, which the cohorts do not contain yet.
    tables::execute(&stack, "SYSTEM STOP VIEW courier.carrier_daily_recent_refresh");
    for _ in 0..2 {
        trouble.parcel(refuse);
    }
    tables::execute(&stack, &insert_shipments("courier", &trouble.parcels));
    tables::refresh(&stack, "exception_daily_recent");
    let sql = "SELECT * FROM courier.exception_rate(from_date = '2000-01-01', to_date = '2100-01-01', vendor = '', origin = '', \
               dest = '') WHERE kind = 'reason'";
    let found = tables::rows(&stack, sql);
    let row = found.first().expect("a rate");
    assert_eq!((&row["settled_with"], &row["settled"]), (&json!(3), &json!(1)));
    let number = |column: &str| row[column].as_f64().unwrap_or_else(|| panic!("no {column}: {row}"));
    assert!(
        number("rate").total_cmp(&1.0).is_eq() && number("rate_high").total_cmp(&1.0).is_eq(),
        "{row}"
    );
    assert!((0.2..0.21).contains(&number("rate_low")), "{row}");
}

/// Refused, without a later event.
fn refuse(row: &mut ShipmentRow, start: i64) {
    let mut refusal = event(start + 20 * HOUR, start + 28 * HOUR);
    refusal.status = String::from("EXCEPTION");
    refusal.sub_status = Some("REFUSED".to_owned());
    row.received_at = (start + 21 * HOUR) * 1_000_000;
    row.event = vec![refusal];
    row.exception_reasons = vec!["REFUSED".to_owned()];
}

#[test]
fn short_promises_alone_are_no_judgement() {
    let stack = with_tables("metrics-promise-maturity");
    tables::execute(
        &stack,
        "INSERT INTO courier.sla_promise (origin, dest, hours) VALUES ('', 'CN54', 120)",
    );
    let (beijing, lhasa) = ("CN110105000000", "CN540102000000");
    let mut all = Vec::new();
    for (carrier, age, dest, hours) in [
        // 24 h within the city, 72 h to Beijing.
        ("young", 40 * HOUR, beijing, Some(100)),
        ("grown", 10 * DAY, beijing, Some(100)),
        // 120 h to Lhasa: longer than the horizon of is_mature.
        ("young-far", 84 * HOUR, lhasa, Some(130)),
        ("grown-far", 10 * DAY, lhasa, Some(130)),
        // Presumed lost 4 days after the pickup within the city, and 10 days after it on the way to Beijing.
        ("young-lost", 10 * DAY, beijing, None),
        ("grown-lost", 11 * DAY, beijing, None),
    ] {
        let mut cohort = Cohort::picked_up_at(carrier, now() - age);
        cohort.near_and_far(dest, hours);
        all.extend(cohort.parcels);
    }
    tables::execute(&stack, &insert_shipments("courier", &all));
    tables::refresh_metrics(&stack);

    for (carrier, is_mature) in [("young", false), ("young-far", true)] {
        assert_scores(
            &stack,
            carrier,
            &[
                ("is_mature", json!(is_mature)),
                ("sla_parcels", json!(80)),
                ("sla_due", json!(40)),
                ("on_time_rate", json!(1.0)),
                ("on_time_maturity", json!(0.5)),
                ("is_on_time_mature", json!(false)),
            ],
        );
    }
    for carrier in ["grown", "grown-far"] {
        assert_scores(
            &stack,
            carrier,
            &[
                ("sla_due", json!(80)),
                ("on_time_rate", json!(0.5)),
                ("on_time_maturity", json!(1.0)),
                ("is_on_time_mature", json!(true)),
            ],
        );
    }
    assert_scores(
        &stack,
        "young-lost",
        &[
            ("promised", json!(80)),
            ("lost_due", json!(40)),
            ("lost_rate", json!(0.0)),
            ("lost_maturity", json!(0.5)),
            ("is_lost_mature", json!(false)),
        ],
    );
    assert_scores(
        &stack,
        "grown-lost",
        &[("lost_rate", json!(0.5)), ("is_lost_mature", json!(true))],
    );
}

/// Whether a column may be read: rates of promises may not as long as only the short promises are due.
fn is_judged(row: &Value, column: &str) -> bool {
    let flag = match column {
        "on_time_rate" | "on_time_delivered_rate" => "is_on_time_mature",
        "lost_rate" => "is_lost_mature",
        _ => return true,
    };
    row[flag] == json!(true)
}

/// Columns of which more is better, less is better, and longer is worse.
const MORE: [&str; 7] = [
    "rate_24h",
    "rate_48h",
    "rate_72h",
    "on_time_rate",
    "on_time_delivered_rate",
    "first_attempt_rate",
    "eta_hit_rate",
];
const LESS: [&str; 5] = [
    "exception_rate",
    "return_rate",
    "refusal_rate",
    "lost_rate",
    "locker_overdue_rate",
];
const HOURS: [&str; 7] = [
    "p50_hours",
    "p90_hours",
    "p95_hours",
    "attempt_p50_hours",
    "attempt_p90_hours",
    "locker_p50_hours",
    "last_mile_hours",
];
/// Columns that do not change once a cohort has settled, whatever happens to its parcels.
const FIXED: [&str; 17] = [
    "settled_attempted",
    "settled_attempt_hours",
    "first_attempt_rate",
    "first_attempt_cn_rate",
    "exception_rate",
    "return_rate",
    "refusal_rate",
    "locker_share",
    "locker_parcels",
    "locker_overdue_rate",
    "last_mile_parcels",
    "last_mile_hours",
    "eta_due",
    "eta_hit_rate",
    "eta_within_day_rate",
    "eta_bias_hours",
    "eta_mae_hours",
];

/// The histories of the parcels of a cohort, the same every day: most end within 7 days, and some have trouble afterwards.
fn steady_parcel(row: &mut ShipmentRow, start: i64, number: i64) {
    // The fastest within a city, which have the shorter promise.
    if number < 10 {
        go(row, "CN440305000000");
    }
    let hours = 8 + number * 4;
    let estimated_days = if number % 7 == 6 { 8 } else { 3 };
    row.edd_first = Some(start + estimated_days * DAY);
    row.out_for_delivery_at = Some(start + (hours - 3) * HOUR);
    if number % 8 == 7 {
        fail(row, start + hours * HOUR, "203", "REFUSED");
        row.returning_at = Some(start + (hours + 3) * HOUR);
        return;
    }
    match number % 13 {
        // Arrives quickly and is then refused.
        12 => {
            fail(row, start + 9 * DAY, "203", "REFUSED");
            row.returning_at = Some(start + 10 * DAY);
        }
        // Delayed on its way.
        11 => {
            trouble(row, start + 8 * DAY, "208", "HELD_AT_DEPOT");
            row.out_for_delivery_at = Some(start + 10 * DAY);
            deliver(row, start + 11 * DAY);
        }
        // Stays in a locker beyond the seventh day.
        10 => {
            let days = if number == 10 { 5 } else { 6 };
            row.available_at = Some(start + days * DAY + 20 * HOUR);
            row.first_attempt_at = row.available_at;
            deliver(row, start + 9 * DAY);
        }
        _ => {
            if number % 5 == 4 {
                row.available_at = Some(start + (hours - 2) * HOUR);
                row.first_attempt_at = row.available_at;
            }
            deliver(row, start + hours * HOUR);
        }
    }
}

#[test]
fn a_young_cohort_is_never_better_for_being_young_nor_an_old_one_worse_for_being_old() {
    let stack = with_tables("metrics-young");
    // The same parcels every day; events in the future have not happened yet.
    let mut rows = Vec::new();
    let now = now();
    for days in 0..20 {
        let mut cohort = Cohort::picked_up("steady", days * DAY);
        if cohort.picked_up_at > now {
            continue;
        }
        for number in 0..40 {
            cohort.parcel(|row, start| {
                steady_parcel(row, start, number);
                forget_after(row, now);
            });
        }
        rows.extend(cohort.parcels);
    }
    tables::execute(&stack, &insert_shipments("courier", &rows));
    tables::refresh_metrics(&stack);

    let sql = "SELECT * FROM courier.carrier_trend(from_date = '2000-01-01', to_date = '2100-01-01', vendor = '', origin = '', \
               dest = '') ORDER BY cohort_date";
    let days = tables::rows(&stack, sql);
    let old = days.first().expect("an old cohort");
    for column in MORE.iter().chain(&LESS).chain(&HOURS) {
        let is_reached = !old[*column].is_null() || column.starts_with("p9") || *column == "attempt_p90_hours";
        assert!(is_reached, "the old cohort has a {column}: {old}");
    }
    let number = |row: &Value, column: &str| row[column].as_f64().filter(|_| is_judged(row, column));
    let flatters = |day: &&Value| day["on_time_rate"].as_f64() > number(old, "on_time_rate");
    assert!(days.iter().any(|day| flatters(&day)), "short promises flatter some day");
    let mut judged = 0;
    for day in &days {
        for column in MORE {
            if let Some(value) = number(day, column) {
                judged += 1;
                assert!(
                    value <= number(old, column).unwrap() + 1e-9,
                    "{column} {value} of {day}"
                );
            }
        }
        for column in LESS {
            if let Some(value) = number(day, column) {
                judged += 1;
                assert!(
                    value >= number(old, column).unwrap() - 1e-9,
                    "{column} {value} of {day}"
                );
            }
        }
        for column in HOURS {
            if let Some(value) = number(day, column) {
                judged += 1;
                assert!(
                    value >= number(old, column).unwrap() - 1e-9,
                    "{column} {value} of {day}"
                );
            }
        }
    }
    assert!(judged > 200, "only {judged} figures are not NULL");
    let settled = days.iter().filter(|day| day["settled"] == json!(40));
    for day in settled.clone() {
        for column in FIXED {
            assert!(!day[column].is_null(), "{column} of {day}");
            assert_eq!(day[column], old[column], "{column} of {day}");
        }
    }
    assert!(settled.count() > 10);
    let youngest = days.last().expect("a young cohort");
    assert_eq!(youngest["is_mature"], json!(false));
    assert_eq!(youngest["exception_rate"], Value::Null);
}

/// Removes what has not happened yet at `now`.
fn forget_after(row: &mut ShipmentRow, now: i64) {
    for milestone in [
        &mut row.out_for_delivery_at,
        &mut row.first_attempt_at,
        &mut row.available_at,
        &mut row.delivered_at,
        &mut row.returning_at,
    ] {
        *milestone = milestone.filter(|time| *time <= now);
    }
    if row.delivered_at.is_none() && row.returning_at.is_none() {
        row.status = String::from("IN_TRANSIT");
    }
    row.event.retain(|event| event.occurred_at <= now);
    let has_trouble = row.event.iter().any(|event| event.status == "EXCEPTION");
    row.exception_codes.retain(|_| has_trouble);
    row.exception_reasons.retain(|_| has_trouble);
    row.received_at = row.received_at.min(now * 1_000_000);
}
