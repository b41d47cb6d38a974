//! Working days over a long holiday, worked out by hand: National Day of 2025. All times are China's.
//!
//! ```text
//! Sep Fri 26  Sat 27  Sun 28  Mon 29  Tue 30 | Oct Wed 1 - Wed 8 | Thu 9  Fri 10  Sat 11  Sun 12  Mon 13
//!       work     -     work    work    work  |         -         |  work   work    work      -     work
//! ```

use courierflow_tests::measures::{insert_shipments, shipment_at};
use courierflow_tests::oracle::ShipmentRow;
use courierflow_tests::stack::{Stack, repository};
use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::recomputed::{load_calendar, load_sla};
use crate::harness::{tables, with_tables};

/// Two working days, for pickups before 18:00; "zero": the same day.
const PROMISES: &str = "carrier,origin,destination,hours,working_days,cutoff
two,*,*,,2,18:00
zero,*,*,,0,18:00
open,*,*,,2,
hours,*,*,48,,
";

/// What China's official arrangements say.
fn arrangements() -> String {
    std::fs::read_to_string(repository().join("deploy/clickhouse/calendar-cn.csv")).unwrap()
}

fn china(time: &str) -> i64 {
    let time: DateTime = time.parse().unwrap();
    time.in_tz("Asia/Shanghai").unwrap().timestamp().as_second()
}

/// A parcel, first attempted then, if it was.
fn parcel(carrier: &str, number: usize, picked_up_at: &str, attempted_at: Option<&str>) -> ShipmentRow {
    let picked_up_at = china(picked_up_at);
    let mut row = shipment_at(carrier, &format!("{carrier}-{number}"), picked_up_at);
    row.picked_up_at = Some(picked_up_at);
    if let Some(attempted_at) = attempted_at.map(china) {
        "DELIVERED".clone_into(&mut row.status);
        row.delivered_at = Some(attempted_at);
        row.first_attempt_at = Some(attempted_at);
        row.attempts = 1;
    }
    row
}

/// Rows of `promised_parcel` by number.
fn judged(stack: &dyn Stack, columns: &str) -> Vec<Value> {
    let sql = format!(
        "SELECT {columns} FROM courier.promised_parcel(from_date = '2000-01-01', to_date = '2100-01-01', \
         received_from = '2000-01-01 00:00:00', recent_from = '2100-01-01', as_of = now('UTC'), older_as_of = now('UTC')) \
         ORDER BY carrier, toUInt32(splitByChar('-', tracking_number)[2])"
    );
    tables::rows(stack, &sql)
}

/// When each parcel is due.
fn due(stack: &dyn Stack) -> Vec<String> {
    let rows = judged(
        stack,
        "toString(toDateTime(toInt64(picked_up_at) + sla_seconds, 'Asia/Shanghai')) AS due",
    );
    let due = rows.iter().map(|row| row["due"].as_str().unwrap().to_owned());
    due.collect()
}

/// Carrier, pickup, and until when it is due.
const DUE: [(&str, &str, &str); 18] = [
    // Without a cut-off: picked up at any time of the last day before the holiday.
    ("open", "2025-09-30T23:59:59", "2025-10-10 23:59:59"),
    // On the last day before the holiday, before the cut-off: the 9th is the first working day after it, the 10th the second.
    ("two", "2025-09-30T17:59:59", "2025-10-10 23:59:59"),
    // At the cut-off: as if picked up on the 9th. The 10th and Saturday, the 11th, are worked.
    ("two", "2025-09-30T18:00:00", "2025-10-11 23:59:59"),
    // At midnight the day begins: before the holiday, and in it.
    ("two", "2025-09-30T00:00:00", "2025-10-10 23:59:59"),
    ("two", "2025-10-01T00:00:00", "2025-10-11 23:59:59"),
    // In the holiday, before and after the cut-off.
    ("two", "2025-10-03T09:00:00", "2025-10-11 23:59:59"),
    ("two", "2025-10-08T20:00:00", "2025-10-11 23:59:59"),
    // On an ordinary Saturday: as if on the Sunday, which is worked.
    ("two", "2025-09-27T10:00:00", "2025-09-30 23:59:59"),
    // On that Sunday, before the cut-off, and after it: then Monday is the day, and the holiday lies between the next two.
    ("two", "2025-09-28T12:00:00", "2025-09-30 23:59:59"),
    ("two", "2025-09-28T19:00:00", "2025-10-09 23:59:59"),
    // On the Saturday that is worked after the holiday: Monday and Tuesday.
    ("two", "2025-10-11T10:00:00", "2025-10-14 23:59:59"),
    // On an ordinary Sunday.
    ("two", "2025-10-12T10:00:00", "2025-10-15 23:59:59"),
    // The calendar says nothing of 2023: Monday to Friday, National Day or not; from Friday on over a weekend.
    ("two", "2023-10-02T10:00:00", "2023-10-04 23:59:59"),
    ("two", "2023-10-06T10:00:00", "2023-10-10 23:59:59"),
    // The same day, which after the cut-off is the next working day.
    ("zero", "2025-09-30T17:00:00", "2025-09-30 23:59:59"),
    ("zero", "2025-09-30T18:00:00", "2025-10-09 23:59:59"),
    // From one year to the next: 1 to 3 January 2026 are free, Sunday the 4th is worked.
    ("zero", "2025-12-31T18:30:00", "2026-01-04 23:59:59"),
    ("zero", "2026-02-14T10:00:00", "2026-02-14 23:59:59"),
];

#[test]
fn working_days_by_hand() {
    let stack = with_tables("metrics-working-days");
    let parcels = DUE.iter().enumerate();
    let parcels: Vec<ShipmentRow> = parcels
        .map(|(number, (carrier, picked_up_at, _))| parcel(carrier, number, picked_up_at, None))
        .collect();
    tables::execute(&stack, &insert_shipments("courier", &parcels));
    load_sla(&stack, PROMISES).unwrap();
    load_calendar(&stack, &arrangements()).unwrap();
    for ((carrier, picked_up_at, expected), due) in DUE.iter().zip(due(&stack)) {
        assert_eq!(due, *expected, "{carrier} {picked_up_at}");
    }

    // A mistake is told, and the calendar stays.
    let error = load_calendar(&stack, "country,date,is_working\nCN,2025-13-01,false\n").unwrap_err();
    assert!(error.contains("line 2: date \"2025-13-01\" is not a day"), "{error}");
    let days = "SELECT count() AS days, countIf(is_working) AS worked FROM courier.calendar";
    assert_eq!(tables::rows(&stack, days), [json!({"days": 108, "worked": 19})]);

    // Another country's calendar says nothing of China: Wednesday and Thursday. Every file replaces all days.
    load_calendar(&stack, "country,date,is_working\nJP,2025-10-01,false\n").unwrap();
    assert_eq!(due(&stack)[1], "2025-10-02 23:59:59");
    let days = "SELECT country, date, is_working FROM courier.working_day WHERE date IN ('2025-10-01', '2025-10-04') ORDER BY ALL";
    let day = |country: &str, date: &str, is_working: bool| json!({"country": country, "date": date, "is_working": is_working});
    assert_eq!(
        tables::rows(&stack, days),
        [
            day("CN", "2025-10-01", true),
            day("CN", "2025-10-04", false),
            day("JP", "2025-10-01", false),
            day("JP", "2025-10-04", false),
        ]
    );
}

/// Pickup, first attempt, and the hours of working days between them.
const WORKED: [(&str, &str, f64); 9] = [
    // 7 h of the 30th, nothing of the holiday, the whole 9th, 10 h of the 10th; 233 h have gone by.
    ("2025-09-30T17:00:00", "2025-10-10T10:00:00", 41.0),
    // Within the holiday, and from it into the first working day.
    ("2025-10-02T08:00:00", "2025-10-06T20:00:00", 0.0),
    ("2025-10-08T20:00:00", "2025-10-09T06:30:00", 6.5),
    // To the second before and after the midnight with which it begins.
    ("2025-09-30T23:00:00", "2025-10-01T00:00:00", 1.0),
    ("2025-09-30T23:00:00", "2025-10-01T09:00:00", 1.0),
    // A Saturday without work, the Sunday that is worked, and 3 h of Monday.
    ("2025-09-27T06:00:00", "2025-09-29T03:00:00", 27.0),
    // The Saturday that is worked, then an ordinary Sunday.
    ("2025-10-11T12:00:00", "2025-10-13T12:00:00", 24.0),
    // Within a working day, and nothing at all.
    ("2025-09-29T09:00:00", "2025-09-29T21:45:00", 12.75),
    ("2025-09-29T09:00:00", "2025-09-29T09:00:00", 0.0),
];

#[test]
fn working_time_by_hand() {
    let stack = with_tables("metrics-working-time");
    let mut parcels: Vec<ShipmentRow> = WORKED
        .iter()
        .enumerate()
        .map(|(number, (picked_up_at, attempted_at, _))| parcel("hours", number, picked_up_at, Some(attempted_at)))
        .collect();
    // Of the last two nothing is known: not attempted yet, and attempted before the pickup.
    parcels.push(parcel("hours", WORKED.len(), "2025-09-30T17:00:00", None));
    parcels.push(parcel(
        "hours",
        WORKED.len() + 1,
        "2025-09-30T17:00:00",
        Some("2025-09-30T16:00:00"),
    ));
    tables::execute(&stack, &insert_shipments("courier", &parcels));
    load_calendar(&stack, &arrangements()).unwrap();
    let rows = judged(
        &stack,
        "transit_working_hours AS transit, attempt_working_hours AS attempt",
    );
    let expected = WORKED.iter().map(|(.., hours)| Some(*hours)).chain([None, None]);
    assert_eq!(rows.len(), parcels.len());
    for (expected, row) in expected.zip(&rows) {
        assert_eq!(
            (row["transit"].as_f64(), row["attempt"].as_f64()),
            (expected, expected),
            "{row}"
        );
    }
}

/// Ten parcels of the last day before the holiday: six come on the second working day, four on the third.
#[test]
fn on_time_by_working_days_is_not_on_time_by_hours() {
    let stack = with_tables("metrics-working-promise");
    let mut parcels = Vec::new();
    for carrier in ["two", "hours"] {
        for number in 0..10 {
            let attempted_at = if number < 6 {
                "2025-10-10T21:00:00"
            } else {
                "2025-10-11T09:00:00"
            };
            parcels.push(parcel(carrier, number, "2025-09-30T17:00:00", Some(attempted_at)));
        }
    }
    tables::execute(&stack, &insert_shipments("courier", &parcels));
    load_sla(&stack, PROMISES).unwrap();
    load_calendar(&stack, &arrangements()).unwrap();
    tables::refresh_metrics(&stack);
    let scores = || {
        tables::rows(
            &stack,
            "SELECT carrier, sla_due, on_time_rate, p50_hours, transit_working_p50_hours, transit_working_p90_hours
             FROM courier.carrier_scorecard(from_date = '2025-09-30', to_date = '2025-09-30', vendor = '', origin = '', dest = '')
             ORDER BY carrier",
        )
    };
    // 244 h have gone by, and 7 + 24 + 21 h of working days: 52. At the 90th percentile 7 + 24 + 24 + 9.
    let score = |carrier: &str, on_time_rate: f64| {
        json!({"carrier": carrier, "sla_due": 10, "on_time_rate": on_time_rate, "p50_hours": 244,
               "transit_working_p50_hours": 52, "transit_working_p90_hours": 64})
    };
    assert_eq!(scores(), [score("hours", 0.0), score("two", 0.6)].map(numbers));

    // Without the calendar the parcels of both are late.
    load_calendar(&stack, "country,date,is_working\n").unwrap();
    tables::refresh_metrics(&stack);
    let rates: Vec<Value> = scores().iter().map(|row| row["on_time_rate"].clone()).collect();
    assert_eq!(rates, [json!(0), json!(0)].map(numbers));
}

/// As ClickHouse prints numbers: whole ones without a point.
fn numbers(value: Value) -> Value {
    match value {
        Value::Object(row) => row.into_iter().map(|(name, value)| (name, numbers(value))).collect(),
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => {
            #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
            let whole = number.as_f64().unwrap_or_default() as i64;
            json!(whole)
        }
        value => value,
    }
}
