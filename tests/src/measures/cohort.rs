//! Counts by cohort and lane, and the rates and quantiles that are made of parcels.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Question;
use super::figure::{Figure, Row, Rows};
use super::parcel::{Measured, Span};

const HOUR: i64 = 3600;
const BIN: i64 = 900;

/// Origin and destination of a parcel at each level.
pub(super) fn lanes(parcel: &Measured<'_>) -> [[String; 3]; 3] {
    let province = |area: &str| area.get(..4).unwrap_or_default().to_owned();
    [
        ["carrier".to_owned(), String::new(), String::new()],
        ["province".to_owned(), province(&parcel.origin), province(&parcel.dest)],
        ["city".to_owned(), parcel.origin.clone(), parcel.dest.clone()],
    ]
}

/// Parcels in groups.
pub(super) fn grouped<'p, 'row, Key: Ord>(
    parcels: impl Iterator<Item = &'p Measured<'row>>,
    key: impl Fn(&Measured<'row>) -> Key,
) -> BTreeMap<Key, Vec<&'p Measured<'row>>>
where
    'row: 'p,
{
    let mut groups: BTreeMap<Key, Vec<&Measured<'row>>> = BTreeMap::new();
    for parcel in parcels {
        groups.entry(key(parcel)).or_default().push(parcel);
    }
    groups
}

pub(super) fn bins(spans: impl Iterator<Item = i64>) -> Value {
    let mut bins: BTreeMap<i64, u64> = BTreeMap::new();
    for seconds in spans {
        let whole = seconds.div_euclid(BIN);
        *bins.entry(whole + i64::from(seconds % BIN > 0)).or_default() += 1;
    }
    Value::Object(
        bins.into_iter()
            .map(|(bin, count)| (bin.to_string(), json!(count)))
            .collect::<Map<_, _>>(),
    )
}

/// When it was first seen on its way back, or back.
fn turned_back(parcel: &Measured<'_>) -> Option<i64> {
    let times = [parcel.row.returning_at, parcel.row.returned_at];
    times.into_iter().flatten().min()
}

/// A stage of a parcel's way, or its wait before, if it ended early enough to be judged.
fn settled_stage(parcel: &Measured<'_>, name: &str) -> Option<i64> {
    let row = parcel.row;
    let (start, end) = match name {
        "pickup_wait" => (row.created_at, row.picked_up_at),
        "origin" => (row.picked_up_at, row.left_origin_at),
        "linehaul" => (row.left_origin_at, row.arrived_dest_at),
        "destination" => (row.arrived_dest_at, row.out_for_delivery_at),
        _ => (row.out_for_delivery_at, row.first_attempt_at),
    };
    let is_judged = match name {
        "last_mile" => parcel.is_attempted_early(),
        // Of a destination learnt from the delivery the arrival is known only then.
        "linehaul" | "destination" if row.flags.iter().any(|flag| flag == "lane_inferred") => {
            parcel.is_delivered_early() && parcel.is_settled_with(end)
        }
        _ => parcel.is_settled_with(end),
    };
    Span::between(start, end).seconds().filter(|_| is_judged)
}

/// Everything that is counted over some parcels, by the name of its column.
#[allow(clippy::too_many_lines, reason = "one line a column")]
fn counts(parcels: &[&Measured<'_>]) -> Vec<(&'static str, Value)> {
    let count = |is_one: &dyn Fn(&Measured<'_>) -> bool| json!(parcels.iter().filter(|parcel| is_one(parcel)).count());
    let cohort = |is_one: &dyn Fn(&Measured<'_>) -> bool| count(&|parcel| parcel.is_in_cohort && is_one(parcel));
    let settled = |is_one: &dyn Fn(&Measured<'_>) -> bool| count(&|parcel| parcel.is_settled && is_one(parcel));
    let known = |which: &dyn Fn(&Measured<'_>) -> Option<i64>, is_counted: &dyn Fn(&Measured<'_>) -> bool| {
        let spans: Vec<i64> = parcels
            .iter()
            .filter(|parcel| is_counted(parcel))
            .filter_map(|parcel| which(parcel))
            .collect();
        spans
    };
    let flagged = |parcel: &Measured<'_>| parcel.row.flags.iter().any(|flag| flag == "pickup_imputed");
    let is_due = |parcel: &Measured<'_>, hours: i64| parcel.transit != Span::Invalid && parcel.is_due(hours * HOUR);
    let is_in_time =
        |parcel: &Measured<'_>, hours: i64| parcel.is_due(hours * HOUR) && parcel.transit.is_within(hours * HOUR);
    let is_sla_due =
        |parcel: &Measured<'_>, span: Span| span != Span::Invalid && parcel.sla.is_some_and(|sla| parcel.is_due(sla));
    let is_sla_met =
        |parcel: &Measured<'_>, span: Span| parcel.sla.is_some_and(|sla| parcel.is_due(sla) && span.is_within(sla));
    let is_lost_due = |parcel: &Measured<'_>| {
        parcel.is_in_cohort && parcel.lost_after.is_some_and(|limit| parcel.age - 6 * HOUR >= limit)
    };
    let locker = |parcel: &Measured<'_>| parcel.is_settled_with(parcel.row.available_at);
    let errors = known(&|parcel| parcel.judged_eta_error(), &|_| true);

    let mut all = vec![
        ("parcels", cohort(&|_| true)),
        ("cancelled", count(&|parcel| parcel.is_cancelled)),
        ("pickup_imputed", cohort(&flagged)),
        ("delivered", cohort(&|parcel| parcel.is_delivered)),
        ("sent_back", cohort(&|parcel| parcel.is_sent_back)),
        ("open", cohort(&|parcel| parcel.is_open)),
        ("returned", cohort(&|parcel| parcel.is_returned)),
        ("refused", cohort(&|parcel| parcel.is_refused)),
        ("lost_presumed", cohort(&|parcel| parcel.is_lost_presumed)),
        ("with_exception", cohort(&|parcel| parcel.is_exception)),
        ("transit_parcels", cohort(&|parcel| parcel.transit != Span::Invalid)),
        (
            "transit_bins",
            bins(known(&|parcel| parcel.transit.seconds(), &|parcel| parcel.is_in_cohort).into_iter()),
        ),
        (
            "transit_working_bins",
            bins(known(&|parcel| parcel.worked, &|parcel| parcel.is_in_cohort).into_iter()),
        ),
        ("attempt_parcels", cohort(&|parcel| parcel.attempt != Span::Invalid)),
        (
            "attempt_bins",
            bins(known(&|parcel| parcel.attempt.seconds(), &|parcel| parcel.is_in_cohort).into_iter()),
        ),
        ("due_24h", count(&|parcel| is_due(parcel, 24))),
        ("within_24h", count(&|parcel| is_in_time(parcel, 24))),
        ("due_48h", count(&|parcel| is_due(parcel, 48))),
        ("within_48h", count(&|parcel| is_in_time(parcel, 48))),
        ("due_72h", count(&|parcel| is_due(parcel, 72))),
        ("within_72h", count(&|parcel| is_in_time(parcel, 72))),
        (
            "sla_parcels",
            cohort(&|parcel| parcel.attempt != Span::Invalid && parcel.sla.is_some()),
        ),
        ("sla_due", count(&|parcel| is_sla_due(parcel, parcel.attempt))),
        ("sla_attempted", count(&|parcel| is_sla_met(parcel, parcel.attempt))),
        ("sla_delivered_due", count(&|parcel| is_sla_due(parcel, parcel.transit))),
        ("sla_delivered", count(&|parcel| is_sla_met(parcel, parcel.transit))),
        ("settled", settled(&|_| true)),
        ("settled_attempted", count(&|parcel| parcel.is_attempted_early())),
        (
            "settled_attempt_seconds_sum",
            json!(
                known(&|parcel| parcel.attempt.seconds(), &|parcel| parcel
                    .is_attempted_early())
                .iter()
                .sum::<i64>()
            ),
        ),
        (
            "settled_first_attempt",
            count(&|parcel| parcel.is_attempted_early() && parcel.is_first_attempt),
        ),
        (
            "settled_first_attempt_cn",
            count(&|parcel| parcel.is_attempted_early() && parcel.is_delivered_early() && parcel.is_first_attempt_cn),
        ),
        (
            "settled_with_exception",
            count(&|parcel| parcel.is_exception && parcel.is_settled_with(parcel.exception_at)),
        ),
        (
            "settled_returned",
            count(&|parcel| parcel.is_settled_with(turned_back(parcel))),
        ),
        (
            "settled_refused",
            count(&|parcel| parcel.is_refused && parcel.is_settled_with(parcel.refusal_at)),
        ),
        ("promised", cohort(&|parcel| parcel.sla.is_some())),
        ("lost_due", count(&|parcel| is_lost_due(parcel))),
        (
            "lost_due_presumed",
            count(&|parcel| is_lost_due(parcel) && parcel.is_lost_presumed),
        ),
        (
            "settled_reached",
            count(&|parcel| parcel.is_delivered_early() || locker(parcel)),
        ),
        ("settled_locker", count(&locker)),
        ("locker_parcels", count(&|parcel| parcel.is_dwell_judged())),
        (
            "locker_bins",
            bins(known(&|parcel| parcel.locker.seconds(), &|parcel| parcel.is_dwell_judged()).into_iter()),
        ),
        (
            "locker_overdue",
            count(&|parcel| parcel.is_dwell_judged() && parcel.is_locker_overdue),
        ),
        ("eta_parcels", settled(&|parcel| parcel.row.edd_first.is_some())),
        ("eta_due", count(&|parcel| parcel.is_eta_judged())),
        ("eta_hit", count(&|parcel| parcel.is_eta_judged() && parcel.is_eta_hit)),
        (
            "eta_within_day",
            count(&|parcel| parcel.is_eta_judged() && parcel.is_eta_within_day),
        ),
        ("claims", Value::Null),
        ("eta_attempted", json!(errors.len())),
        ("eta_error_seconds_sum", json!(errors.iter().sum::<i64>())),
        (
            "eta_absolute_error_seconds_sum",
            json!(errors.iter().map(|error| error.abs()).sum::<i64>()),
        ),
    ];
    for (name, parcels_column, sum_column) in STAGES {
        let spans = known(&|parcel| settled_stage(parcel, name), &|_| true);
        all.push((parcels_column, json!(spans.len())));
        all.push((sum_column, json!(spans.iter().sum::<i64>())));
    }
    all
}

const STAGES: [(&str, &str, &str); 5] = [
    ("pickup_wait", "pickup_wait_parcels", "pickup_wait_seconds_sum"),
    ("origin", "origin_parcels", "origin_seconds_sum"),
    ("linehaul", "linehaul_parcels", "linehaul_seconds_sum"),
    ("destination", "destination_parcels", "destination_seconds_sum"),
    ("last_mile", "last_mile_parcels", "last_mile_seconds_sum"),
];

/// Rows of `carrier_daily` by level, cohort day, vendor, carrier, origin and destination.
pub fn carrier_daily(parcels: &[Measured<'_>]) -> Rows {
    let mut rows = Rows::new();
    for level in 0..3 {
        let with_cohort = parcels.iter().filter(|parcel| parcel.cohort.is_some());
        let groups = grouped(with_cohort, |parcel| {
            let [_, _, _] = lanes(parcel);
            let lane = lanes(parcel).into_iter().nth(level).unwrap_or_default();
            let [level, origin, dest] = lane;
            let cohort = parcel.cohort.clone().unwrap_or_default();
            vec![
                level,
                cohort,
                parcel.row.vendor.clone(),
                parcel.row.carrier.clone(),
                origin,
                dest,
            ]
        });
        for (key, group) in groups {
            let mut row: Row = counts(&group)
                .into_iter()
                .map(|(column, value)| (column, Figure::Exact(value)))
                .collect();
            row.insert("refreshed_at", Figure::Any);
            rows.insert(key, row);
        }
    }
    rows
}

/// Share with its Wilson interval, from the quadratic equation whose roots the ends are.
pub(super) fn rate(row: &mut Row, names: [&'static str; 3], part: i64, whole: i64) {
    let (rate, low, high) = if whole == 0 {
        (None, None, None)
    } else {
        #[allow(clippy::cast_precision_loss, reason = "counts of a test")]
        let (part, whole) = (part as f64, whole as f64);
        // (share - p)² = z² p (1 - p) / whole, solved for p.
        let z_squared = 1.959_963_984_540_054_f64.powi(2);
        let share = part / whole;
        let (a, b, c) = (1.0 + z_squared / whole, -2.0 * share - z_squared / whole, share * share);
        let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
        (
            Some(share),
            Some((-b - root) / (2.0 * a)),
            Some((-b + root) / (2.0 * a)),
        )
    };
    let [name, name_low, name_high] = names;
    row.insert(name, Figure::close(rate));
    row.insert(name_low, Figure::close(low));
    row.insert(name_high, Figure::close(high));
}

/// The smallest time that a share of all needed at most; `None` is infinitely long.
pub(super) fn quantile_hours(mut spans: Vec<Option<i64>>, percent: usize) -> Option<f64> {
    spans.sort_by_key(|span| span.unwrap_or(i64::MAX));
    // The first position at which at least so many percent are at or before it.
    let position = (spans.len() * percent).div_ceil(100).checked_sub(1)?;
    #[allow(clippy::cast_precision_loss, reason = "at most 180 days")]
    spans
        .get(position)
        .copied()
        .flatten()
        .map(|seconds| seconds as f64 / 3600.0)
}

fn mean_hours(spans: &[i64]) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "sums of a test")]
    (!spans.is_empty()).then(|| spans.iter().sum::<i64>() as f64 / spans.len() as f64 / 3600.0)
}

/// The columns of a scorecard over some parcels.
fn scores(parcels: &[&Measured<'_>]) -> Row {
    let counted: BTreeMap<&str, Value> = counts(parcels).into_iter().collect();
    let number = |column: &str| counted.get(column).and_then(Value::as_i64).unwrap_or_default();
    let mut row: Row = counted
        .iter()
        .filter(|(_, value)| !value.is_object())
        .map(|(column, value)| (*column, Figure::Exact(value.clone())))
        .collect();

    let all = number("transit_parcels");
    for ([maturity, is_mature], due, all) in MATURITIES {
        let (due, all) = (number(due), number(all));
        #[allow(clippy::cast_precision_loss, reason = "counts of a test")]
        let share = (all > 0).then(|| due as f64 / all as f64);
        row.insert(maturity, Figure::close(share));
        row.insert(is_mature, Figure::exact(all > 0 && due * 100 >= all * 99));
    }
    for (column, least) in [("is_p50_sound", 10), ("is_p90_sound", 50), ("is_p95_sound", 100)] {
        row.insert(column, Figure::exact(all >= least));
    }
    let spans =
        |which: &dyn Fn(&Measured<'_>) -> Span, is_counted: &dyn Fn(&Measured<'_>) -> bool| -> Vec<Option<i64>> {
            let counted = parcels
                .iter()
                .filter(|parcel| is_counted(parcel))
                .map(|parcel| which(parcel));
            counted
                .filter(|span| *span != Span::Invalid)
                .map(Span::seconds)
                .collect()
        };
    let transit = spans(&|parcel| parcel.transit, &|parcel| parcel.is_in_cohort);
    let attempt = spans(&|parcel| parcel.attempt, &|parcel| parcel.is_in_cohort);
    let locker = spans(&|parcel| parcel.locker, &|parcel| parcel.is_dwell_judged());
    row.insert("p50_hours", Figure::hours(quantile_hours(transit.clone(), 50)));
    row.insert("p90_hours", Figure::hours(quantile_hours(transit.clone(), 90)));
    row.insert("p95_hours", Figure::hours(quantile_hours(transit, 95)));
    let worked: Vec<Option<i64>> = parcels
        .iter()
        .filter(|parcel| parcel.is_in_cohort && parcel.transit != Span::Invalid)
        .map(|parcel| parcel.worked)
        .collect();
    row.insert(
        "transit_working_p50_hours",
        Figure::hours(quantile_hours(worked.clone(), 50)),
    );
    row.insert("transit_working_p90_hours", Figure::hours(quantile_hours(worked, 90)));
    row.insert("attempt_p50_hours", Figure::hours(quantile_hours(attempt.clone(), 50)));
    row.insert("attempt_p90_hours", Figure::hours(quantile_hours(attempt, 90)));
    row.insert("locker_p50_hours", Figure::hours(quantile_hours(locker, 50)));

    for (names, part, whole) in RATES {
        rate(&mut row, names, number(part), number(whole));
    }
    for (name, hours) in [
        ("pickup_wait", "pickup_wait_hours"),
        ("origin", "origin_hours"),
        ("linehaul", "linehaul_hours"),
        ("destination", "destination_hours"),
        ("last_mile", "last_mile_hours"),
    ] {
        let known: Vec<i64> = parcels
            .iter()
            .filter_map(|parcel| settled_stage(parcel, name))
            .collect();
        row.insert(hours, Figure::close(mean_hours(&known)));
    }
    let attempts: Vec<i64> = parcels
        .iter()
        .filter(|parcel| parcel.is_attempted_early())
        .filter_map(|parcel| parcel.attempt.seconds())
        .collect();
    row.insert("settled_attempt_hours", Figure::close(mean_hours(&attempts)));
    let errors: Vec<i64> = parcels.iter().filter_map(|parcel| parcel.judged_eta_error()).collect();
    row.insert("eta_bias_hours", Figure::close(mean_hours(&errors)));
    let absolute: Vec<i64> = errors.iter().map(|error| error.abs()).collect();
    row.insert("eta_mae_hours", Figure::close(mean_hours(&absolute)));
    let mut coverage = Row::new();
    rate(
        &mut coverage,
        ["share", "low", "high"],
        number("eta_parcels"),
        number("settled"),
    );
    row.extend(coverage.remove("share").map(|share| ("eta_coverage", share)));
    row.insert("refreshed_at", Figure::Any);
    row
}

/// How many of the parcels can be judged already, and whether these are nearly all.
const MATURITIES: [([&str; 2], &str, &str); 3] = [
    (["maturity", "is_mature"], "due_72h", "transit_parcels"),
    (["on_time_maturity", "is_on_time_mature"], "sla_due", "sla_parcels"),
    (["lost_maturity", "is_lost_mature"], "lost_due", "promised"),
];

const RATES: [([&str; 3], &str, &str); 14] = [
    (["rate_24h", "rate_24h_low", "rate_24h_high"], "within_24h", "due_24h"),
    (["rate_48h", "rate_48h_low", "rate_48h_high"], "within_48h", "due_48h"),
    (["rate_72h", "rate_72h_low", "rate_72h_high"], "within_72h", "due_72h"),
    (
        ["on_time_rate", "on_time_rate_low", "on_time_rate_high"],
        "sla_attempted",
        "sla_due",
    ),
    (
        [
            "on_time_delivered_rate",
            "on_time_delivered_rate_low",
            "on_time_delivered_rate_high",
        ],
        "sla_delivered",
        "sla_delivered_due",
    ),
    (
        [
            "first_attempt_rate",
            "first_attempt_rate_low",
            "first_attempt_rate_high",
        ],
        "settled_first_attempt",
        "settled_attempted",
    ),
    (
        [
            "first_attempt_cn_rate",
            "first_attempt_cn_rate_low",
            "first_attempt_cn_rate_high",
        ],
        "settled_first_attempt_cn",
        "settled_attempted",
    ),
    (
        ["exception_rate", "exception_rate_low", "exception_rate_high"],
        "settled_with_exception",
        "settled",
    ),
    (
        ["return_rate", "return_rate_low", "return_rate_high"],
        "settled_returned",
        "settled",
    ),
    (
        ["refusal_rate", "refusal_rate_low", "refusal_rate_high"],
        "settled_refused",
        "settled",
    ),
    (
        ["lost_rate", "lost_rate_low", "lost_rate_high"],
        "lost_due_presumed",
        "lost_due",
    ),
    (
        ["locker_share", "locker_share_low", "locker_share_high"],
        "settled_locker",
        "settled_reached",
    ),
    (
        [
            "locker_overdue_rate",
            "locker_overdue_rate_low",
            "locker_overdue_rate_high",
        ],
        "locker_overdue",
        "locker_parcels",
    ),
    (
        ["eta_hit_rate", "eta_hit_rate_low", "eta_hit_rate_high"],
        "eta_hit",
        "eta_due",
    ),
];

/// Counts that the wide table has and the scorecard does not show.
const NOT_IN_SCORECARD: &[&str] = &[
    "within_24h",
    "within_48h",
    "within_72h",
    "sla_attempted",
    "sla_delivered",
    "settled_attempt_seconds_sum",
    "settled_first_attempt",
    "settled_first_attempt_cn",
    "settled_with_exception",
    "settled_returned",
    "settled_refused",
    "lost_due_presumed",
    "settled_locker",
    "locker_overdue",
    "pickup_wait_seconds_sum",
    "origin_seconds_sum",
    "linehaul_seconds_sum",
    "destination_seconds_sum",
    "last_mile_seconds_sum",
    "eta_hit",
    "eta_within_day",
    "eta_error_seconds_sum",
    "eta_absolute_error_seconds_sum",
];

fn scorecard(parcels: &[&Measured<'_>]) -> Row {
    let mut row = scores(parcels);
    let within: i64 = parcels
        .iter()
        .filter(|parcel| parcel.is_eta_judged() && parcel.is_eta_within_day)
        .count()
        .try_into()
        .unwrap_or(0);
    let whole: i64 = parcels
        .iter()
        .filter(|parcel| parcel.is_eta_judged())
        .count()
        .try_into()
        .unwrap_or(0);
    rate(
        &mut row,
        [
            "eta_within_day_rate",
            "eta_within_day_rate_low",
            "eta_within_day_rate_high",
        ],
        within,
        whole,
    );
    for column in NOT_IN_SCORECARD {
        row.remove(column);
    }
    row
}

/// Rows of `carrier_scorecard` by carrier.
pub fn carrier_scorecard(parcels: &[Measured<'_>], question: &Question) -> Rows {
    let asked = parcels.iter().filter(|parcel| question.covers(parcel));
    let groups = grouped(asked, |parcel| vec![parcel.row.carrier.clone()]);
    groups
        .into_iter()
        .map(|(key, group)| (key, scorecard(&group)))
        .collect()
}

/// Rows of `carrier_trend` by day and carrier.
pub fn carrier_trend(parcels: &[Measured<'_>], question: &Question) -> Rows {
    let asked = parcels.iter().filter(|parcel| question.covers(parcel));
    let groups = grouped(asked, |parcel| {
        vec![parcel.cohort.clone().unwrap_or_default(), parcel.row.carrier.clone()]
    });
    groups
        .into_iter()
        .map(|(key, group)| (key, scorecard(&group)))
        .collect()
}

/// Columns of `lane_transit` beside its key: those of the scorecard that are here.
const LANE_COLUMNS: &[&str] = &[
    "parcels",
    "cancelled",
    "delivered",
    "sent_back",
    "open",
    "returned",
    "refused",
    "lost_presumed",
    "settled",
    "maturity",
    "is_mature",
    "transit_parcels",
    "p50_hours",
    "p90_hours",
    "p95_hours",
    "is_p50_sound",
    "is_p90_sound",
    "is_p95_sound",
    "due_24h",
    "rate_24h",
    "rate_24h_low",
    "rate_24h_high",
    "due_48h",
    "rate_48h",
    "rate_48h_low",
    "rate_48h_high",
    "due_72h",
    "rate_72h",
    "rate_72h_low",
    "rate_72h_high",
    "sla_parcels",
    "sla_due",
    "on_time_maturity",
    "is_on_time_mature",
    "on_time_rate",
    "on_time_rate_low",
    "on_time_rate_high",
    "exception_rate",
    "exception_rate_low",
    "exception_rate_high",
    "return_rate",
    "return_rate_low",
    "return_rate_high",
    "refreshed_at",
];

/// Rows of `lane_transit` by origin and destination; `level` is province or city (always city when a city is asked for), an empty
/// carrier means all.
pub fn lane_transit(parcels: &[Measured<'_>], question: &Question, carrier: &str, level: &str) -> Rows {
    let asked = parcels
        .iter()
        .filter(|parcel| question.covers(parcel) && (carrier.is_empty() || parcel.row.carrier == carrier));
    let names_city = question.origin.len() > 4 || question.dest.len() > 4;
    let level = if names_city { "city" } else { level };
    let groups = grouped(asked, |parcel| {
        let lane = lanes(parcel)
            .into_iter()
            .find(|lane| lane.first().is_some_and(|name| name == level));
        let [_, origin, dest] = lane.unwrap_or_default();
        vec![origin, dest]
    });
    let columns: BTreeSet<&str> = LANE_COLUMNS.iter().copied().collect();
    let shown = |group: Vec<&Measured<'_>>| {
        let mut row = scorecard(&group);
        row.retain(|column, _| columns.contains(column));
        row
    };
    groups.into_iter().map(|(key, group)| (key, shown(group))).collect()
}

/// Rows of `transit_distribution` by carrier and hour.
pub fn transit_distribution(parcels: &[Measured<'_>], question: &Question) -> Rows {
    let asked = parcels
        .iter()
        .filter(|parcel| question.covers(parcel) && parcel.is_in_cohort && parcel.transit != Span::Invalid);
    let mut rows = Rows::new();
    for (carrier, group) in grouped(asked, |parcel| parcel.row.carrier.clone()) {
        let hours = |parcel: &&Measured<'_>| {
            parcel
                .transit
                .seconds()
                .map(|seconds| seconds.div_euclid(HOUR) + i64::from(seconds % HOUR > 0))
        };
        let distinct: BTreeSet<i64> = group.iter().filter_map(hours).collect();
        for hour in distinct {
            let at = group.iter().filter(|parcel| hours(parcel) == Some(hour)).count();
            let until = group
                .iter()
                .filter(|parcel| hours(parcel).is_some_and(|hours| hours <= hour))
                .count();
            #[allow(clippy::cast_precision_loss, reason = "counts of a test")]
            let share = until as f64 / group.len() as f64;
            let row = Row::from([
                ("parcels", Figure::exact(at)),
                ("transit_parcels", Figure::exact(group.len())),
                ("delivered_share", Figure::Close(share)),
            ]);
            rows.insert(vec![carrier.clone(), hour.to_string()], row);
        }
    }
    rows
}
