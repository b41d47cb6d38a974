//! Vendors are asked about silent parcels all along a run; at the end the queries are compared with the vendors' books, with the limits, and
//! with the events that their answers became.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use courierflow_schemas::records::{CallClass, CallKind, Origin, PushEvent, PushId, VendorCall};
use courierflow_tests::stack::{Launch, Stack};

use super::vendors::Vendors;
use super::what_remains;
use crate::harness::{eventually, tables};
use crate::subscribe::records::calls;

/// Least time between two queries of a number, and most of them.
const APART_MS: i64 = 3_000;
const PER_LIFE: usize = 5;
/// What is due soon enough for a run. Which parcels are open the database looks up every five minutes: most queries are about parcels that
/// were never heard of, and audits.
const DURATIONS: [(&str, &str); 12] = [
    ("EVERY_MS", "1000"),
    ("CALL_TIMEOUT_MS", "1000"),
    ("PROBE_MS", "500"),
    ("PER_DAY", "1000"),
    ("NO_RESULT_PAUSE_MS", "6000"),
    ("FIRST_PUSH_LATE_MS", "[2000, 10000, 20000]"),
    ("FALLBACK_EVERY_MS", "4000"),
    ("STALLED_QUIET_MS", "10000"),
    ("AUDIT_FROM_MS", "0"),
    ("AUDIT_UNTIL_MS", "1"),
    ("AUDIT_AFTER_END_MS", "0"),
    ("AUDIT_WITHIN_MS", "3456000000"),
];

/// The settings with which so much is due within a run.
pub(super) fn asking_about_parcels(mut reconcile: Launch, stack: &dyn Stack) -> Launch {
    let more = [
        ("SLOT_DIR", stack.dir().join("slots").display().to_string()),
        ("APART_MS", APART_MS.to_string()),
        ("PER_LIFE", PER_LIFE.to_string()),
    ];
    let durations = DURATIONS.map(|(key, value)| (key, value.to_owned()));
    for (key, value) in durations.into_iter().chain(more) {
        reconcile = reconcile.env(&format!("COURIERFLOW__RECONCILE__{key}"), value);
    }
    reconcile
}

/// Waits until some answer has become an event: on a slow machine the faults may have left no time for one.
pub(super) fn wait_for_an_answer(stack: &dyn Stack) {
    let is_one = |call: &VendorCall| call.kind == CallKind::Query && call.class == CallClass::Done;
    eventually("a query is answered", || {
        let calls = calls(stack);
        if calls.iter().any(is_one) {
            Ok(())
        } else {
            Err(format!("none of {} calls", calls.len()))
        }
    });
}

/// What a run has shown about queries.
#[derive(Debug)]
pub(super) struct Compared {
    /// Those that are recorded.
    pub(super) made: usize,
    /// Those of them whose answer nobody knows.
    pub(super) interrupted: usize,
    /// Those of them whose answer became an event.
    pub(super) told: usize,
    pub(super) vendor_queries: u64,
    /// Numbers of which the vendors counted more than are recorded.
    pub(super) unrecorded: Vec<String>,
    pub(super) beyond_limits: Vec<String>,
    /// Answers without their event, or the other way round.
    pub(super) torn: Vec<String>,
    /// Rows of all calls that differ from the topic.
    pub(super) rows_differing: Vec<String>,
}

impl Compared {
    pub(super) fn is_clean(&self) -> bool {
        self.told > 0
            && [&self.unrecorded, &self.beyond_limits, &self.torn, &self.rows_differing]
                .iter()
                .all(|found| found.is_empty())
    }
}

/// Compares. Nobody asks any more.
pub(super) fn compare(stack: &dyn Stack, vendors: &Vendors, stored: &[PushEvent]) -> Compared {
    let calls = calls(stack);
    let queries: Vec<_> = calls.iter().filter(|call| call.kind == CallKind::Query).collect();
    let of_class = |class| queries.iter().filter(|call| call.class == class).count();
    let booked = booked(vendors);
    Compared {
        made: queries.len(),
        interrupted: of_class(CallClass::Unknown),
        told: of_class(CallClass::Done),
        vendor_queries: booked.values().sum(),
        unrecorded: unrecorded(&queries, &booked),
        beyond_limits: beyond_limits(&queries),
        torn: torn(&queries, stored),
        rows_differing: rows_differing(stack, &calls),
    }
}

/// Queries in the vendors' books, by number.
fn booked(vendors: &Vendors) -> HashMap<String, u64> {
    let mut booked: HashMap<String, u64> = HashMap::new();
    for number in vendors.ledger("")["numbers"].as_array().unwrap() {
        let months = number["months"].as_object().unwrap().values();
        let queries: u64 = months.map(|month| month["queries"].as_u64().unwrap()).sum();
        let name = number["tracking_number"].as_str().unwrap();
        *booked.entry(name.to_owned()).or_default() += queries;
    }
    booked
}

/// Nobody was asked: nothing was sent.
fn is_unsent(call: &VendorCall) -> bool {
    call.class == CallClass::Retry && call.http_status.is_none()
}

fn unrecorded(queries: &[&VendorCall], booked: &HashMap<String, u64>) -> Vec<String> {
    let mut recorded: HashMap<&str, u64> = HashMap::new();
    for call in queries.iter().filter(|call| !is_unsent(call)) {
        *recorded.entry(&call.tracking_number).or_default() += 1;
    }
    let known = |number: &str| recorded.get(number).copied().unwrap_or_default();
    let beyond = booked.iter().filter(|(number, counted)| **counted > known(number));
    beyond
        .map(|(number, counted)| format!("{number}: {counted} counted, {} recorded", known(number)))
        .collect()
}

fn beyond_limits(queries: &[&VendorCall]) -> Vec<String> {
    let mut by_number: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for call in queries.iter().filter(|call| !is_unsent(call)) {
        by_number
            .entry(&call.tracking_number)
            .or_default()
            .push(call.started_at.0);
    }
    let is_beyond = |times: &mut Vec<i64>| {
        times.sort_unstable();
        let mut pairs = times.windows(2);
        times.len() > PER_LIFE || pairs.any(|pair| pair[1] - pair[0] < APART_MS * 1_000)
    };
    let beyond = by_number
        .into_iter()
        .filter_map(|(number, mut times)| is_beyond(&mut times).then(|| format!("{number}: {times:?}")));
    beyond.collect()
}

fn torn(queries: &[&VendorCall], stored: &[PushEvent]) -> Vec<String> {
    let mut balance: HashMap<PushId, i64> = HashMap::new();
    for id in queries.iter().filter_map(|call| call.push_id) {
        *balance.entry(id).or_default() += 1;
    }
    for event in stored.iter().filter(|event| event.origin == Origin::Query) {
        *balance.entry(event.push_id).or_default() -= 1;
    }
    let unlike = balance.iter().filter(|(_, balance)| **balance != 0);
    let mut torn: Vec<_> = unlike
        .map(|(id, balance)| format!("{id:?}: {balance} answers more than events"))
        .collect();
    let is_mute = |call: &&&VendorCall| (call.class == CallClass::Done) != call.push_id.is_some();
    torn.extend(queries.iter().filter(is_mute).map(|call| format!("{call:?}")));
    torn
}

fn rows_differing(stack: &dyn Stack, calls: &[VendorCall]) -> Vec<String> {
    let wanted: BTreeSet<_> = calls
        .iter()
        .map(|call| format!("{} {} {}", call.tracking_number, call.started_at.0, call.class))
        .collect();
    what_remains(|| {
        let sql = "SELECT concat(tracking_number, ' ', toString(toUnixTimestamp64Micro(started_at)), ' ', toString(class)) AS row
            FROM courier.vendor_call FINAL";
        let rows = tables::rows(stack, sql);
        let rows: BTreeSet<_> = rows.iter().map(|row| row["row"].as_str().unwrap().to_owned()).collect();
        rows.symmetric_difference(&wanted).cloned().collect()
    })
}
