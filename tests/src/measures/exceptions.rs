//! Exceptions by code, reason and party.

use std::collections::BTreeMap;

use courierflow_schemas::meaning::{party_of, reasons};
use courierflow_schemas::records::Vendor;
use courierflow_vendors::protocol;
use serde_json::{Value, json};

use super::Question;
use super::cohort::{bins, grouped, lanes, quantile_hours, rate};
use super::figure::{Figure, Row, Rows};
use super::parcel::{Measured, is_exception, is_future};
use crate::oracle::{EventRow, ShipmentRow};

const MAX_SECONDS: i64 = 180 * 86_400;

/// kind and name: of what a parcel can have an exception.
type Subject = (&'static str, String);

/// The first event of each subject, and the seconds from it to the next one that is no exception; `None` = not resolved.
fn subjects(row: &ShipmentRow) -> BTreeMap<Subject, (i64, Option<i64>)> {
    let is_future = |event: &EventRow| is_future(row, event);
    let mut found = BTreeMap::new();
    for (position, event) in row.event.iter().enumerate() {
        if !is_exception(event) || is_future(event) {
            continue;
        }
        // A refusal can be the return itself, which ends what it is.
        let is_end = |event: &&EventRow| {
            !is_future(event) && event.status != "UNKNOWN" && (!is_exception(event) || event.status == "RETURNED")
        };
        let resolved = row.event.iter().skip(position).find(is_end);
        let seconds = resolved.map(|resolved| resolved.occurred_at - event.occurred_at);
        let names = [
            ("code", event.raw_code.clone()),
            ("reason", event.sub_status.clone()),
            ("party", Some(party_of(event.sub_status.as_deref()).as_str().to_owned())),
        ];
        for (kind, name) in names {
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                found.entry((kind, name)).or_insert((event.occurred_at, seconds));
            }
        }
    }
    found
}

/// A parcel of the cohort that had an exception.
struct Troubled<'p, 'row> {
    parcel: &'p Measured<'row>,
    subject: Subject,
    began_at: i64,
    seconds: Option<i64>,
}

fn troubled<'p, 'row>(parcels: &'p [Measured<'row>]) -> Vec<Troubled<'p, 'row>> {
    let in_cohort = parcels
        .iter()
        .filter(|parcel| parcel.is_in_cohort && parcel.is_exception);
    let each = in_cohort.flat_map(|parcel| {
        subjects(parcel.row)
            .into_iter()
            .map(move |(subject, (began_at, seconds))| Troubled {
                parcel,
                subject,
                began_at,
                seconds,
            })
    });
    each.collect()
}

struct Counted {
    parcels: usize,
    settled: usize,
    /// Of the settled ones of valid time.
    times: Vec<Option<i64>>,
}

fn counted<'a>(group: impl Iterator<Item = &'a Troubled<'a, 'a>>) -> Counted {
    let mut counted = Counted {
        parcels: 0,
        settled: 0,
        times: Vec::new(),
    };
    for one in group {
        counted.parcels += 1;
        if one.parcel.is_settled_with(Some(one.began_at)) {
            counted.settled += 1;
            if one.seconds.is_none_or(|seconds| seconds <= MAX_SECONDS) {
                counted.times.push(one.seconds);
            }
        }
    }
    counted
}

/// Rows of `exception_daily` by level, day, vendor, carrier, origin, destination, kind and name.
pub fn exception_daily<'a>(parcels: &'a [Measured<'a>]) -> Rows {
    let all = troubled(parcels);
    let mut groups: BTreeMap<Vec<String>, Vec<&Troubled<'_, '_>>> = BTreeMap::new();
    for one in &all {
        for [level, origin, dest] in lanes(one.parcel) {
            let (kind, name) = one.subject.clone();
            let cohort = one.parcel.cohort.clone().unwrap_or_default();
            let row = one.parcel.row;
            let key = vec![
                level,
                cohort,
                row.vendor.clone(),
                row.carrier.clone(),
                origin,
                dest,
                kind.to_owned(),
                name,
            ];
            groups.entry(key).or_default().push(one);
        }
    }
    let row = |group: Vec<&Troubled<'_, '_>>| {
        let counted = counted(group.into_iter());
        Row::from([
            ("parcels", Figure::exact(counted.parcels)),
            ("settled", Figure::exact(counted.settled)),
            ("resolve_parcels", Figure::exact(counted.times.len())),
            ("resolve_bins", Figure::Exact(bins(counted.times.into_iter().flatten()))),
            ("refreshed_at", Figure::Any),
        ])
    };
    groups.into_iter().map(|(key, group)| (key, row(group))).collect()
}

/// Whose code it is; reasons and parties are shared.
fn scope(one: &Troubled<'_, '_>) -> String {
    if one.subject.0 == "code" {
        one.parcel.row.vendor.clone()
    } else {
        String::new()
    }
}

/// `key` names what the rows are grouped by besides; `parcels` of the cohorts are the denominators.
fn rates<'a>(
    denominators: &'a [Measured<'a>],
    parcels: &'a [Measured<'a>],
    is_asked: &dyn Fn(&Measured<'_>) -> bool,
    key: &dyn Fn(&Measured<'_>) -> String,
) -> Rows {
    let settled = grouped(denominators.iter().filter(|parcel| is_asked(parcel)), |parcel| {
        key(parcel)
    });
    let all = troubled(parcels);
    let mut groups: BTreeMap<Vec<String>, Vec<&Troubled<'_, '_>>> = BTreeMap::new();
    for one in all.iter().filter(|one| is_asked(one.parcel)) {
        let (kind, name) = one.subject.clone();
        let row_key = vec![key(one.parcel), kind.to_owned(), scope(one), name];
        groups.entry(row_key).or_default().push(one);
    }
    let mut rows = Rows::new();
    for (row_key, group) in groups {
        let [group_key, kind, vendor, name] = row_key.as_slice() else {
            continue;
        };
        let denominator = settled.get(group_key).map_or(0, |parcels| {
            parcels
                .iter()
                .filter(|parcel| parcel.is_settled && (vendor.is_empty() || *vendor == parcel.row.vendor))
                .count()
        });
        let counted = counted(group.into_iter());
        let mut row = names(kind, vendor, name);
        rate(
            &mut row,
            ["rate", "rate_low", "rate_high"],
            counted.settled.min(denominator).try_into().unwrap_or(0),
            denominator.try_into().unwrap_or(0),
        );
        row.insert("parcels", Figure::exact(counted.parcels));
        row.insert("settled_with", Figure::exact(counted.settled));
        row.insert("settled", Figure::exact(denominator));
        row.insert("resolve_parcels", Figure::exact(counted.times.len()));
        row.insert("resolve_p50_hours", Figure::hours(quantile_hours(counted.times, 50)));
        row.insert("refreshed_at", Figure::Any);
        rows.insert(row_key, row);
    }
    rows
}

/// What the code tables say; the names themselves are checked against the tables elsewhere.
fn names(kind: &str, vendor: &str, name: &str) -> Row {
    let of_code = |name: &str| {
        let vendor: Vendor = vendor.parse().ok()?;
        let row = protocol(vendor).code_tables().first()?.find(name)?;
        row.is_exception.then_some(row.sub_status.as_str())
    };
    let reason = match kind {
        "code" => of_code(name),
        "reason" => reasons()
            .map(|row| row.sub_status.as_str())
            .find(|reason| *reason == name),
        _ => None,
    };
    let is_known = kind == "party" || reason.is_some();
    let party = if kind == "party" {
        name
    } else {
        party_of(reason).as_str()
    };
    let is_clock = matches!(reason, Some("DELIVERY_OVERDUE" | "NO_UPDATE" | "PICKUP_OVERDUE"));
    let known = |value: Value| if is_known { value } else { Value::Null };
    Row::from([
        ("name_zh", Figure::Any),
        ("name_en", Figure::Any),
        ("reason", Figure::Exact(json!(reason))),
        ("party", Figure::Exact(known(json!(party)))),
        ("is_vendor_clock", Figure::Exact(known(json!(is_clock)))),
    ])
}

/// Rows of `exception_rate` by carrier, kind, vendor and name. Numerators and denominators have clocks of their own.
pub fn exception_rate<'a>(cohort: &'a [Measured<'a>], parcels: &'a [Measured<'a>], question: &Question) -> Rows {
    rates(cohort, parcels, &|parcel| question.covers(parcel), &|parcel| {
        parcel.row.carrier.clone()
    })
}

/// Rows of `exception_trend` by day, kind, vendor and name; an empty carrier means all.
pub fn exception_trend<'a>(
    cohort: &'a [Measured<'a>],
    parcels: &'a [Measured<'a>],
    question: &Question,
    carrier: &str,
) -> Rows {
    let is_asked =
        |parcel: &Measured<'_>| question.covers(parcel) && (carrier.is_empty() || parcel.row.carrier == carrier);
    rates(cohort, parcels, &is_asked, &|parcel| {
        parcel.cohort.clone().unwrap_or_default()
    })
}
