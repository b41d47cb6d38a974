//! What is measured at one parcel (domain D.3 and D.4).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::working::Calendar;
use crate::oracle::{EventRow, ShipmentRow};

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
const GUARD: i64 = 6 * HOUR;
const FUTURE_SECONDS: i64 = 600;

/// When the two halves of a table were refreshed.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The last 40 cohort days.
    pub recent: i64,
    /// All older ones.
    pub older: i64,
}

/// How long the first attempt may take.
#[derive(Clone, Copy, Debug)]
pub enum Term {
    /// From the pickup on.
    Hours(i64),
    /// So many working days after that of the pickup, which is the next one for a pickup this number of minutes after
    /// midnight or later.
    WorkingDays(i64, i64),
}

/// What parcels are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'all> {
    /// What the carriers promise.
    pub promises: &'all [Promise],
    /// Which days are worked.
    pub calendar: &'all Calendar,
}

/// What is promised; an empty text stands for all.
#[derive(Clone, Debug)]
pub struct Promise {
    /// Canonical carrier code.
    pub carrier: &'static str,
    /// Province or city.
    pub origin: &'static str,
    /// Province or city.
    pub dest: &'static str,
    /// From pickup to first attempt.
    pub term: Term,
}

/// A time between two milestones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// At least one of the two has not come.
    Open,
    /// Negative, or over 180 days.
    Invalid,
    /// Seconds.
    Took(i64),
}

impl Span {
    /// Between two times.
    pub fn between(start: Option<i64>, end: Option<i64>) -> Self {
        match (start, end) {
            (Some(start), Some(end)) if (0..=180 * DAY).contains(&(end - start)) => Self::Took(end - start),
            (Some(_), Some(_)) => Self::Invalid,
            _ => Self::Open,
        }
    }

    /// Seconds, if known.
    pub fn seconds(self) -> Option<i64> {
        match self {
            Self::Took(seconds) => Some(seconds),
            Self::Open | Self::Invalid => None,
        }
    }

    /// Took at most so long.
    pub fn is_within(self, seconds: i64) -> bool {
        self.seconds().is_some_and(|took| took <= seconds)
    }
}

/// A parcel, measured.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are what is counted")]
#[allow(missing_docs, reason = "as the columns of the view parcel")]
pub struct Measured<'row> {
    pub row: &'row ShipmentRow,
    pub cohort: Option<String>,
    pub origin: String,
    pub dest: String,
    pub is_in_cohort: bool,
    pub is_cancelled: bool,
    pub is_delivered: bool,
    pub is_sent_back: bool,
    pub is_open: bool,
    pub is_returned: bool,
    pub is_refused: bool,
    pub is_exception: bool,
    pub is_lost_presumed: bool,
    pub is_settled: bool,
    pub age: i64,
    pub sla: Option<i64>,
    pub lost_after: Option<i64>,
    pub transit: Span,
    pub attempt: Span,
    /// Seconds of working days; those of `transit` if it is known.
    pub worked: Option<i64>,
    pub locker: Span,
    pub is_locker_overdue: bool,
    pub is_first_attempt: bool,
    pub is_first_attempt_cn: bool,
    pub eta_error: Option<i64>,
    pub is_eta_hit: bool,
    pub is_eta_within_day: bool,
    pub eta_due_at: Option<i64>,
    pub exception_at: Option<i64>,
    pub refusal_at: Option<i64>,
    pub now: i64,
}

impl Measured<'_> {
    /// Settled, and this happened within 7 days of its pickup.
    pub fn is_settled_with(&self, time: Option<i64>) -> bool {
        let limit = self.row.picked_up_at.map(|picked_up_at| picked_up_at + 7 * DAY);
        self.is_settled && time.is_some() && time <= limit
    }

    /// Whether the time in a locker is judged: put there a day before the other figures end.
    pub fn is_dwell_judged(&self) -> bool {
        let put = self.row.available_at;
        self.locker != Span::Invalid && self.is_settled_with(put.map(|put| put + DAY))
    }

    /// Whether the first estimate of the vendor is judged.
    pub fn is_eta_judged(&self) -> bool {
        self.is_settled_with(self.eta_due_at)
    }

    /// The error of that estimate, of those attempted early enough.
    pub fn judged_eta_error(&self) -> Option<i64> {
        let is_judged = self.is_eta_judged() && self.is_attempted_early();
        self.eta_error.filter(|_| is_judged)
    }

    /// First attempted within 7 days.
    pub fn is_attempted_early(&self) -> bool {
        self.attempt != Span::Invalid && self.is_settled_with(self.row.first_attempt_at)
    }

    /// Delivered within 7 days.
    pub fn is_delivered_early(&self) -> bool {
        self.transit != Span::Invalid && self.is_settled_with(self.row.delivered_at)
    }

    /// Old enough to be judged at a horizon.
    pub fn is_due(&self, horizon: i64) -> bool {
        self.is_in_cohort && self.age >= horizon + GUARD
    }
}

/// The China day of a time.
pub(super) fn china_day(time: i64) -> Date {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    Timestamp::from_second(time).unwrap_or_default().to_zoned(zone).date()
}

/// When a China day ends.
pub(super) fn midnight_after(day: Date) -> i64 {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    let next = day.saturating_add(jiff::Span::new().days(1));
    next.to_zoned(zone)
        .map_or(0, |midnight| midnight.timestamp().as_second())
}

/// An exception or a refusal, which some vendors file as a return.
pub(super) fn is_exception(event: &EventRow) -> bool {
    event.status == "EXCEPTION" || is_refusal(event)
}

fn is_refusal(event: &EventRow) -> bool {
    event.sub_status.as_deref() == Some("REFUSED")
}

/// Dated so long after the push that nobody believes it (rule 4.6).
pub(super) fn is_future(row: &ShipmentRow, event: &EventRow) -> bool {
    event.occurred_at > row.received_at.div_euclid(1_000_000) + FUTURE_SECONDS
}

fn first_event(row: &ShipmentRow, is_one: fn(&EventRow) -> bool) -> Option<i64> {
    let mut credible = row.event.iter().filter(|event| !is_future(row, event));
    credible.find(|event| is_one(event)).map(|event| event.occurred_at)
}

/// City, municipality, else province of an area code; empty when unknown.
pub(super) fn area(code: Option<&str>) -> String {
    let Some(digits) = code.and_then(|code| code.strip_prefix("CN")) else {
        return String::new();
    };
    let province: String = digits.chars().take(2).collect();
    let city: String = digits.chars().skip(2).take(2).collect();
    if ["11", "12", "31", "50"].contains(&province.as_str()) || city.chars().count() < 2 || city == "00" {
        format!("CN{province}")
    } else {
        format!("CN{province}{city}")
    }
}

/// Where a parcel goes, if that was told and not learnt from its arrival.
pub(super) fn destination(row: &ShipmentRow) -> String {
    let is_inferred = row.flags.iter().any(|flag| flag == "lane_inferred");
    area(row.dest_code.as_deref().filter(|_| !is_inferred))
}

/// What rule 10.7 says; a parcel counts as domestic until its trace shows otherwise.
pub(super) fn is_cross_border(row: &ShipmentRow) -> bool {
    row.flags.iter().any(|flag| flag == "cross_border")
}

/// Measures every parcel that counts at all.
pub fn measure<'row>(rows: &'row [ShipmentRow], terms: Terms<'_>, clock: Clock) -> Vec<Measured<'row>> {
    let counted = rows.iter().filter(|row| row.tracking_state != "CARRIER_CORRECTED");
    counted.map(|row| measured(row, terms, clock)).collect()
}

fn measured<'row>(row: &'row ShipmentRow, terms: Terms<'_>, clock: Clock) -> Measured<'row> {
    let cohort_day = row.picked_up_at.map(china_day);
    let first_recent = china_day(clock.recent).saturating_sub(jiff::Span::new().days(40));
    let now = if cohort_day.is_some_and(|day| day < first_recent) {
        clock.older
    } else {
        clock.recent
    };
    let age = row.picked_up_at.map_or(i64::MIN / 2, |picked_up_at| now - picked_up_at);
    let origin = area(row.origin_code.as_deref());
    let dest = destination(row);
    let is_city = |area: &str| area.len() == 6 || ["CN11", "CN12", "CN31", "CN50"].contains(&area);
    let is_same_city = origin == dest && is_city(&origin);

    let is_cancelled = row.status == "CANCELLED";
    let is_in_cohort = row.picked_up_at.is_some() && !is_cancelled && row.tracking_state != "ABORTED_NO_RECORD";
    let is_open = !is_cancelled && row.delivered_at.is_none() && row.returned_at.is_none();

    let standard = (!is_cross_border(row)).then_some(Term::Hours(if is_same_city { 24 } else { 72 }));
    let sla = match promised(terms.promises, &row.carrier, &origin, &dest).or(standard) {
        Some(Term::Hours(hours)) => Some(hours * HOUR),
        Some(Term::WorkingDays(days, cutoff)) => row
            .picked_up_at
            .map(|picked_up_at| terms.calendar.due(picked_up_at, days, cutoff) - picked_up_at),
        None => None,
    };
    let grace = if is_same_city { 3 * DAY } else { 7 * DAY };
    let lost_after = sla.map(|sla| sla + grace);
    // Kdniao gives up after a week, which many a parcel survives; the others wait 30 days or longer.
    let is_given_up = row.vendor != "kdniao" && row.tracking_state == "ABORTED_STALE";
    let is_lost_presumed = is_open && (is_given_up || lost_after.is_some_and(|limit| age > limit));

    let has_reason = |reason: &str| row.exception_reasons.iter().any(|name| name == reason);
    let delivered_first = row.delivered_at.is_some()
        && row.delivered_at == row.first_attempt_at
        && row
            .available_at
            .is_none_or(|available| Some(available) > row.delivered_at);
    let is_first_attempt = delivered_first && row.attempts < 2;
    let collected = row.available_at.is_some()
        && row.available_at == row.first_attempt_at
        && row
            .delivered_at
            .is_some_and(|delivered| row.available_at <= Some(delivered));

    let transit = Span::between(row.picked_up_at, row.delivered_at);
    let worked = row.picked_up_at.zip(row.delivered_at);
    let worked = worked.filter(|_| transit.seconds().is_some());
    let worked = worked.map(|(start, end)| terms.calendar.worked_seconds(start, end));
    let locker = Span::between(row.available_at, row.delivered_at);
    let locker_until = row.delivered_at.or(row.returning_at).or(row.returned_at).unwrap_or(now);
    let eta_error = row
        .first_attempt_at
        .zip(row.edd_first)
        .map(|(attempt, edd)| attempt - edd);
    let eta_days = row.first_attempt_at.zip(row.edd_first).map(|(attempt, edd)| {
        let days = china_day(edd).until(china_day(attempt)).unwrap_or_default();
        i64::from(days.get_days())
    });
    Measured {
        row,
        cohort: cohort_day.map(|day| day.to_string()),
        origin,
        dest,
        is_in_cohort,
        is_cancelled,
        is_delivered: !is_cancelled && row.delivered_at.is_some(),
        is_sent_back: !is_cancelled && row.delivered_at.is_none() && row.returned_at.is_some(),
        is_open,
        is_returned: row.returning_at.is_some() || row.returned_at.is_some(),
        is_refused: has_reason("REFUSED"),
        is_exception: !row.exception_codes.is_empty() || !row.exception_reasons.is_empty(),
        is_lost_presumed,
        is_settled: is_in_cohort && age >= 7 * DAY + GUARD,
        age,
        sla,
        lost_after,
        transit,
        attempt: Span::between(row.picked_up_at, row.first_attempt_at),
        worked,
        locker,
        is_locker_overdue: locker != Span::Invalid
            && row
                .available_at
                .is_some_and(|available| locker_until - available > 18 * HOUR),
        is_first_attempt,
        is_first_attempt_cn: is_first_attempt || collected && row.attempts < 2 && !has_reason("PICKUP_OVERDUE"),
        eta_error: eta_error.filter(|error| error.abs() <= 180 * DAY),
        is_eta_hit: eta_days.is_some_and(|days| days <= 0),
        is_eta_within_day: eta_days.is_some_and(|days| days.abs() <= 1),
        eta_due_at: row
            .edd_first
            .map(|edd| midnight_after(china_day(edd).saturating_add(jiff::Span::new().days(1)))),
        exception_at: first_event(row, is_exception),
        refusal_at: first_event(row, is_refusal),
        now,
    }
}

/// The most specific promise: first by carrier, then by origin, then by destination.
fn promised(promises: &[Promise], carrier: &str, origin: &str, dest: &str) -> Option<Term> {
    promises
        .iter()
        .filter(|promise| promise.carrier.is_empty() || promise.carrier == carrier)
        .filter(|promise| origin.starts_with(promise.origin) && dest.starts_with(promise.dest))
        .max_by_key(|promise| (promise.carrier.len().min(1), promise.origin.len(), promise.dest.len()))
        .map(|promise| promise.term)
}
