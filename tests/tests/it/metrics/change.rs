//! What has changed beyond chance: worked out by hand, and where nothing has changed.

use std::cell::RefCell;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};
use statrs::distribution::{ContinuousCDF, StudentsT};

use courierflow_tests::stack::Stack;

use crate::harness::{tables, with_tables};

const BEFORE: usize = 28;
const NOW: usize = 7;

/// The counts of a pickup day, for a row of `carrier_daily`.
type Counts = Value;

/// Figures of a carrier or a lane: of the 28 days before, and of the seven days that are judged.
struct Case<'c> {
    level: &'c str,
    carrier: &'c str,
    lane: [&'c str; 2],
    before: &'c dyn Fn(usize) -> Counts,
    now: &'c dyn Fn(usize) -> Counts,
}

impl Case<'_> {
    /// The 35 days that end with `last`.
    fn rows(&self, last: Date) -> Vec<String> {
        let of_day = |day: usize| {
            let counts = if day < BEFORE {
                (self.before)(day)
            } else {
                (self.now)(day - BEFORE)
            };
            let ago = i64::try_from(BEFORE + NOW - 1 - day).unwrap();
            let mut row = json!({
                "level": self.level, "cohort_date": (last - ago.days()).to_string(), "vendor": "kuaidi100", "carrier": self.carrier,
                "origin": self.lane[0], "dest": self.lane[1], "refreshed_at": Timestamp::now().strftime("%F %T").to_string(),
            });
            row.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
            row.to_string()
        };
        (0..BEFORE + NOW).map(of_day).collect()
    }
}

/// The newest pickup day that ended this long ago, China time.
fn day_that_ended(hours_ago: i64) -> Date {
    let then = Timestamp::now() - SignedDuration::from_hours(hours_ago);
    let china = TimeZone::get("Asia/Shanghai").unwrap();
    then.to_zoned(china).date() - 1.day()
}

/// The newest pickup days that are judged: settled ones, and those for the median.
#[derive(Clone, Copy, PartialEq)]
struct Judged {
    settled: Date,
    mature: Date,
}

impl Judged {
    fn now() -> Self {
        Self {
            settled: day_that_ended(7 * 24 + 6),
            mature: day_that_ended(72 + 6),
        }
    }
}

/// Tests these rows and nothing else; anew if the days have changed meanwhile, which they do once a day.
fn test_rows(stack: &dyn Stack, rows: impl Fn(Judged) -> Vec<String>) -> (Vec<Value>, Judged) {
    tables::execute(stack, "SYSTEM STOP VIEW courier.carrier_daily_recent_refresh");
    loop {
        let judged = Judged::now();
        tables::execute(stack, "TRUNCATE TABLE courier.carrier_daily_recent");
        let rows = rows(judged).join("\n");
        tables::execute(
            stack,
            &format!("INSERT INTO courier.carrier_daily_recent FORMAT JSONEachRow\n{rows}"),
        );
        tables::refresh(stack, "performance_change");
        if judged == Judged::now() {
            let found = "SELECT * FROM courier.performance_change ORDER BY level, carrier, measure";
            return (tables::rows(stack, found), judged);
        }
    }
}

/// A carrier that is worse, as the test of the table finds it; nothing replaces it.
pub(crate) fn insert_one(stack: &dyn Stack) {
    tables::execute(stack, "SYSTEM STOP VIEW courier.performance_change_refresh");
    tables::execute(stack, "SYSTEM WAIT VIEW courier.performance_change_refresh");
    let last = day_that_ended(7 * 24 + 6);
    let row = json!({
        "level": "carrier", "carrier": "yto", "measure": "on_time_rate", "from_date": (last - 6.days()).to_string(), "to_date": last.to_string(),
        "parcels": 700, "parcels_before": 2_800, "value": 0.8, "value_before": 0.9, "dispersion": 1.5, "statistic": -6.1, "p_value": 1e-6,
        "q_value": 2e-6, "is_worse": true, "is_beyond_chance": true, "refreshed_at": Timestamp::now().strftime("%F %T").to_string(),
    });
    let insert = format!("INSERT INTO courier.performance_change FORMAT JSONEachRow\n{row}");
    tables::execute(stack, &insert);
}

fn exceptions(settled: u64, with: u64) -> Counts {
    json!({ "settled": settled, "settled_with_exception": with })
}

fn promises(made: u64, due: u64, kept: u64) -> Counts {
    json!({ "sla_parcels": made, "sla_due": due, "sla_attempted": kept })
}

/// A hundred parcels: so many within 40 hours, so many within 60, the others never.
fn transits(within_40: u64, within_60: u64) -> Counts {
    json!({ "transit_parcels": 100, "transit_bins": { "160": within_40, "240": within_60 } })
}

fn number(row: &Value, column: &str) -> f64 {
    row[column].as_f64().unwrap_or_else(|| panic!("{column} of {row}"))
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= 1e-3 * expected.abs(),
        "{what}: {found} instead of {expected}"
    );
}

#[test]
fn what_has_changed_is_told_from_chance_and_from_what_is_too_small_to_matter() {
    let stack = with_tables("metrics-change");
    let of_carrier = |carrier, before, now| Case {
        level: "carrier",
        carrier,
        lane: ["", ""],
        before,
        now,
    };
    let of_lane = |level, carrier, lane| Case {
        level,
        carrier,
        lane,
        before: &|_| exceptions(100, 5),
        now: &|_| exceptions(100, 12),
    };
    let by_settled_days = [
        // From 5 to 12 %, and the 28 days are alike.
        of_carrier("worse", &|_| exceptions(100, 5), &|_| exceptions(100, 12)),
        // From 5 to 8 %, of days that differ much more than by chance: none and ten, in turns.
        of_carrier(
            "weather",
            &|day| exceptions(100, if day % 2 == 0 { 0 } else { 10 }),
            &|_| exceptions(100, 8),
        ),
        // Certain, and half a percentage point.
        of_carrier("small", &|_| exceptions(100_000, 5_000), &|_| {
            exceptions(100_000, 5_500)
        }),
        // 42 parcels are too few.
        of_carrier("thin", &|_| exceptions(50, 2), &|_| exceptions(6, 3)),
        of_carrier("better", &|_| promises(100, 100, 80), &|_| promises(100, 100, 90)),
        // Only short promises are due.
        of_carrier("long", &|_| promises(100, 100, 80), &|_| promises(100, 90, 30)),
        of_lane("province", "lane", ["CN44", "CN43"]),
        of_lane("province", "half", ["CN44", ""]),
        of_lane("city", "city", ["CN4403", "CN4301"]),
    ];
    let by_mature_days = [
        of_carrier("slow", &|_| transits(60, 30), &|_| transits(40, 50)),
        // More than half of them have not arrived.
        of_carrier("lost", &|_| transits(60, 30), &|_| transits(30, 10)),
        // Whether a parcel took more than 80 hours is not known of all.
        of_carrier(
            "far",
            &|_| json!({"transit_parcels": 100, "transit_bins": {"320": 90}}),
            &|_| json!({"transit_parcels": 100, "transit_bins": {"320": 10}}),
        ),
    ];
    let (found, Judged { settled, mature }) = test_rows(&*stack, |judged| {
        let settled = by_settled_days.iter().flat_map(|case| case.rows(judged.settled));
        let mature = by_mature_days.iter().flat_map(|case| case.rows(judged.mature));
        settled.chain(mature).collect()
    });

    let told: Vec<Value> = found
        .iter()
        .map(|row| {
            json!([
                row["carrier"],
                row["measure"],
                row["value_before"],
                row["value"],
                row["parcels_before"],
                row["parcels"],
                row["is_worse"],
                row["is_beyond_chance"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["better", "on_time_rate", 0.8, 0.9, 2_800, 700, false, true]),
            json!(["lost", "p50_hours", 40, null, 2_800, 700, true, true]),
            json!(["slow", "p50_hours", 40, 60, 2_800, 700, true, true]),
            json!(["small", "exception_rate", 0.05, 0.055, 2_800_000, 700_000, true, false]),
            json!(["weather", "exception_rate", 0.05, 0.08, 2_800, 700, true, false]),
            json!(["worse", "exception_rate", 0.05, 0.12, 2_800, 700, true, true]),
            json!(["lane", "exception_rate", 0.05, 0.12, 2_800, 700, true, true]),
        ]
    );
    assert_statistics(&found);
    let of = |carrier: &str| found.iter().find(|row| row["carrier"] == carrier).unwrap();
    assert_eq!(
        [&of("worse")["from_date"], &of("worse")["to_date"]],
        [&json!((settled - 6.days()).to_string()), &json!(settled.to_string())]
    );
    assert_eq!(of("slow")["to_date"], json!(mature.to_string()));
    assert_p_values(&found);
}

/// Those that were worked out by hand.
fn assert_statistics(found: &[Value]) {
    let of = |carrier: &str| found.iter().find(|row| row["carrier"] == carrier).unwrap();
    // Pooled share 0.064: 0.07 / √(0.064 · 0.936 · (1/700 + 1/2800)).
    assert_close(number(of("worse"), "statistic"), 6.768, "statistic");
    assert_close(number(of("worse"), "dispersion"), 1.0, "dispersion");
    // Each of the 28 days is 5 away from the 5 that are expected, with a variance of 4.75: 28 · 25 / 4.75 / 27. Pooled share 0.056.
    assert_close(number(of("weather"), "dispersion"), 5.458, "dispersion");
    assert_close(
        number(of("weather"), "statistic"),
        0.03 / (5.458_f64 * 0.056 * 0.944 / 560.0).sqrt(),
        "statistic",
    );
    // 40 of 100 were slower than 40 hours, now 60: pooled 0.44.
    assert_close(
        number(of("slow"), "statistic"),
        0.2 / (0.44_f64 * 0.56 / 560.0).sqrt(),
        "statistic",
    );
}

/// The p-values are those of Student's t, and the q-values those of Benjamini and Hochberg.
fn assert_p_values(found: &[Value]) {
    let students_t = StudentsT::new(0.0, 1.0, 27.0).unwrap();
    for row in found {
        let expected = 2.0 * students_t.sf(number(row, "statistic").abs());
        let ratio = number(row, "p_value") / expected;
        // Where it is far beyond all doubt, the approximation need not be close.
        assert!(
            (0.999..1.04).contains(&ratio) || expected < 1e-6,
            "{ratio} of {expected}: {row}"
        );
    }
    for level in ["carrier", "province"] {
        let mut tested: Vec<&Value> = found.iter().filter(|row| row["level"] == level).collect();
        tested.sort_by(|a, b| number(a, "p_value").total_cmp(&number(b, "p_value")));
        let mut smallest: f64 = 1.0;
        for (place, row) in tested.iter().enumerate().rev() {
            let [tests, rank] = [tested.len(), place + 1].map(|count| f64::from(u32::try_from(count).unwrap()));
            smallest = smallest.min(number(row, "p_value") * tests / rank);
            let q = number(row, "q_value");
            assert!(
                (q - smallest).abs() <= 1e-9 * smallest,
                "{q} instead of {smallest}: {row}"
            );
        }
    }
}

#[test]
fn where_nothing_has_changed_nothing_is_beyond_chance() {
    let stack = with_tables("metrics-no-change");
    let carriers: Vec<String> = (0..300).map(|number| format!("c{number:03}")).collect();
    let (found, _) = test_rows(&*stack, |judged| {
        let random = RefCell::new(fastrand::Rng::with_seed(7));
        // Each day of each lane has a share of its own between 2 and 8 %.
        let day = |_| {
            let mut random = random.borrow_mut();
            let share = 0.02 + 0.06 * random.f64();
            exceptions(1_000, (0..1_000).filter(|_| random.f64() < share).count() as u64)
        };
        let lane = |carrier: &String| {
            let case = Case {
                level: "province",
                carrier,
                lane: ["CN44", "CN43"],
                before: &day,
                now: &day,
            };
            case.rows(judged.settled)
        };
        carriers.iter().flat_map(lane).collect()
    });
    assert_eq!(found.len(), 300);
    let beyond: Vec<&Value> = found.iter().filter(|row| row["is_beyond_chance"] == true).collect();
    assert!(beyond.is_empty(), "{beyond:?}");
    // A test that takes days for alike, or each lane for the only one, sees changes.
    let naive = |row: &&Value| (number(row, "statistic") * number(row, "dispersion").sqrt()).abs() > 3.5;
    assert!(
        found.iter().filter(naive).count() > 30,
        "the days differ enough to mislead"
    );
    let alone = found.iter().filter(|row| number(row, "p_value") <= 0.05).count();
    assert!((1..40).contains(&alone), "of 300 about 15 are below 0.05: {alone}");
}
