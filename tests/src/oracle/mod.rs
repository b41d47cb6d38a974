//! A plain recomputation of the tables from the list of pushes, to compare the real ones with. It follows the numbered
//! rules of derivation one by one, is simple rather than fast, and shares nothing with the processor but the records' types.
//!
//! One push event goes through these steps, one file each:
//!
//! 1. [`read`]: the vendor's text becomes a snapshot of items, addressed to a carrier ([`carriers`], [`time`]);
//! 2. [`accept`]: outranked, duplicate, stale or accepted; its version; whether it opens an epoch;
//! 3. [`events`]: items in order become events with identity, status and leg ([`codes`], [`labels`]); the status of the
//!    shipment;
//! 4. [`transitions`]: the changes of status, and what is new against the list before;
//! 5. [`milestones`]: figures from the events;
//! 6. [`rows`]: rows of tables, with masked texts ([`masking`]).
//!
//! [`compare`] holds the result against what is there. Not modelled: the end of a shipment's life, and `context = "omit"`.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    reason = "a failed assumption of the recomputation must end the test at once"
)]
#![allow(
    clippy::match_same_arms,
    reason = "the arms are the rows of the rules' tables, in their order"
)]
#![allow(clippy::doc_markdown, reason = "statuses are words of the domain, not code")]
#![allow(
    clippy::struct_excessive_bools,
    clippy::format_collect,
    reason = "plain facts, plainly written"
)]

mod accept;
mod carriers;
pub(crate) mod codes;
pub mod compare;
mod events;
pub(crate) mod labels;
mod masking;
mod milestones;
mod read;
pub mod rows;
mod seventeentrack;
#[cfg(test)]
mod specification;
mod time;
mod transitions;
pub mod workload;

use std::collections::{BTreeMap, BTreeSet};

use courierflow_schemas::records::{Leg, Op, Origin, PushEvent, TrackingState, Vendor};

pub use compare::{Difference, differences, record_differences};
pub use rows::{EventRow, Expected, ExpectedRecord, PushRow, RetiredRow, ShipmentRow, TransitionRow};
pub use workload::workload;

use accept::{Case, Judgement, Memory};
use events::{Event, ShipmentStatus};
use milestones::Figures;
use read::{Reading, Route, Snapshot, Word};
use transitions::{Change, Transition};

/// What the three tables should show after these push events, which are in order of arrival within each tracking number,
/// and every record of the derived topics. The records hold each version of each shipment: see [`expected_tables`] for
/// what does not fit into memory.
pub fn expected(pushes: &[PushEvent]) -> Expected {
    let mut all = Expected::default();
    for pushes in by_number(pushes) {
        let rows = pushes.iter().map(|push| push_row(push)).collect();
        all.append(Expected::from_log(rows, derive(&pushes)));
    }
    all.sorted()
}

/// The same without the records.
pub fn expected_tables(pushes: &[PushEvent]) -> Expected {
    let mut all = Expected::default();
    for pushes in by_number(pushes) {
        let rows = pushes.iter().map(|push| push_row(push)).collect();
        all.append(Expected {
            records: Vec::new(),
            ..Expected::from_log(rows, derive(&pushes))
        });
    }
    all.sorted()
}

fn by_number(pushes: &[PushEvent]) -> Vec<Vec<&PushEvent>> {
    let mut by_number: BTreeMap<&str, Vec<&PushEvent>> = BTreeMap::new();
    for push in pushes {
        by_number.entry(&push.tracking_number).or_default().push(push);
    }
    by_number.into_values().collect()
}

/// Everything that the push events of one tracking number lead to.
fn derive(pushes: &[&PushEvent]) -> Vec<ExpectedRecord> {
    judged(pushes).into_iter().flat_map(|(_, records)| records).collect()
}

/// What becomes of each push event of one tracking number that can be read, and what it leads to.
fn judged(pushes: &[&PushEvent]) -> Vec<(Judgement, Vec<ExpectedRecord>)> {
    let mut parcels: BTreeMap<(Vendor, String), Parcel> = BTreeMap::new();
    let mut judged = Vec::new();
    for push in pushes {
        let Reading::Parcel { carrier, snapshot } = read::read(push) else {
            continue;
        };
        let parcel = parcels.entry((push.vendor, carrier.clone())).or_default();
        let case = Case {
            memory: &parcel.memory,
            shipment: parcel.shipment.as_ref(),
            snapshot: &snapshot,
            origin: push.origin,
            signature: push.signature,
            received_at: push.received_at.0,
        };
        let judgement = case.judge();
        let records = match judgement {
            Judgement::Outranked | Judgement::Duplicate | Judgement::Stale | Judgement::Confirmed => Vec::new(),
            Judgement::Accepted => parcel.accept(push, &carrier, &snapshot),
        };
        judged.push((judgement, records));
    }
    judged
}

/// A (vendor, carrier, tracking number): what is remembered across epochs, and the shipment of the latest epoch.
#[derive(Default)]
struct Parcel {
    memory: Memory,
    shipment: Option<Shipment>,
}

/// The state of one epoch.
struct Shipment {
    epoch: String,
    /// Rule 12.2: the epoch is named by a receipt, for want of events that are not in the future.
    is_unnamed: bool,
    version: i64,
    first_received_at: i64,
    tracking_state: TrackingState,
    /// Rule 5.3: `received_at` in µs of the last push that corrected the carrier.
    corrected_at: i64,
    /// Rule 5.2d: the vendor ended the tracking, and nothing new has come since.
    has_ended: bool,
    // What follows changes only with pushes that have items.
    events: Vec<Event>,
    transitions: Vec<Transition>,
    status: ShipmentStatus,
    leg: Leg,
    figures: Figures,
    route: Route,
    edd_first: Option<i64>,
    edd_last: Option<i64>,
    flags: BTreeSet<&'static str>,
    // What one push tells and the next may leave out.
    reference: Option<String>,
    dest_carrier: Option<String>,
    dest_number: Option<String>,
    corrected_to: Option<String>,
}

impl Parcel {
    fn accept(&mut self, push: &PushEvent, carrier: &str, snapshot: &Snapshot) -> Vec<ExpectedRecord> {
        let received_at = push.received_at.0;
        let previous_version = self.shipment.as_ref().map(|shipment| shipment.version);
        let in_epoch = self
            .shipment
            .take()
            .filter(|shipment| !accept::opens_epoch(shipment, snapshot, received_at));
        let mut shipment = in_epoch.unwrap_or_else(|| Shipment::new(snapshot, received_at));

        shipment.version = accept::next_version(previous_version, received_at);
        let left_behind = shipment.settle(snapshot, received_at);
        let known: BTreeSet<String> = shipment.events.iter().map(|event| event.id.clone()).collect();
        let changes = if snapshot.has_items() {
            shipment.take_items(snapshot, push.origin, received_at)
        } else {
            Vec::new()
        };
        shipment.hear(snapshot, received_at, &known);
        keep_last(&mut shipment.reference, snapshot.reference.as_ref());
        keep_last(&mut shipment.dest_carrier, snapshot.dest_carrier.as_ref());
        keep_last(&mut shipment.dest_number, snapshot.dest_number.as_ref());
        keep_last(&mut shipment.corrected_to, snapshot.corrected_to.as_ref());
        if shipment.tracking_state != TrackingState::CarrierCorrected {
            shipment.corrected_to = None;
        }
        accept::remember(&mut self.memory, snapshot, push.origin, push.signature, received_at);

        let last_push_at = self.memory.last_push_at;
        let row = shipment_row(push, carrier, &shipment, last_push_at);
        let mut records = vec![ExpectedRecord::Shipment(Box::new(row))];
        if let Some((epoch, transitions)) = left_behind {
            records.push(ExpectedRecord::Retired(retired_row(push, carrier, &epoch)));
            for transition in transitions {
                let mut row = transition_row(push, carrier, &shipment, transition);
                row.epoch.clone_from(&epoch);
                records.push(ExpectedRecord::Transition(Op::Retracted.to_string(), Box::new(row)));
            }
        }
        for change in changes {
            let (op, transition) = match change {
                Change::Observed(transition) => (Op::Observed, transition),
                Change::Retracted(transition) => (Op::Retracted, transition),
            };
            let row = transition_row(push, carrier, &shipment, transition);
            records.push(ExpectedRecord::Transition(op.to_string(), Box::new(row)));
        }
        self.shipment = Some(shipment);
        records
    }
}

impl Shipment {
    /// Rules 11.1, 11.2, 12.1 and 12.2: a new shipment, still without events.
    fn new(snapshot: &Snapshot, received_at: i64) -> Self {
        let first_day = accept::first_day(snapshot, received_at);
        Self {
            is_unnamed: first_day.is_none(),
            epoch: first_day.unwrap_or_else(|| time::utc_day(received_at.div_euclid(1_000_000))),
            version: 0,
            first_received_at: received_at,
            tracking_state: TrackingState::Active,
            corrected_at: 0,
            has_ended: false,
            events: Vec::new(),
            transitions: Vec::new(),
            status: ShipmentStatus::UNKNOWN,
            leg: Leg::Forward,
            figures: Figures::default(),
            route: Route::default(),
            edd_first: None,
            edd_last: None,
            flags: BTreeSet::new(),
            reference: None,
            dest_carrier: None,
            dest_number: None,
            corrected_to: None,
        }
    }

    /// Rule 12.2b: with its first events a shipment moves to the day of the earliest one. The epoch that it leaves, and
    /// the transitions of events that lay in the future until now.
    fn settle(&mut self, snapshot: &Snapshot, received_at: i64) -> Option<(String, Vec<Transition>)> {
        if !self.is_unnamed {
            return None;
        }
        let day = accept::first_day(snapshot, received_at)?;
        self.is_unnamed = false;
        if day == self.epoch {
            return None;
        }
        let left = std::mem::replace(&mut self.epoch, day);
        Some((left, std::mem::take(&mut self.transitions)))
    }

    /// Rules 5.2d, 5.3, 11.1 and 11.2: the tracking state. `known` holds the ids of the events before this push.
    fn hear(&mut self, snapshot: &Snapshot, received_at: i64, known: &BTreeSet<String>) {
        let new_events: Vec<&Event> = if snapshot.has_items() {
            self.events.iter().filter(|event| !known.contains(&event.id)).collect()
        } else {
            Vec::new()
        };
        let word = snapshot.word;
        let ends_correction = new_events
            .iter()
            .any(|event| event.occurred_at * 1_000_000 > self.corrected_at);
        let stays_ended = self.has_ended && new_events.is_empty() && word != Word::Corrected;

        if word == Word::Ended {
            self.has_ended = true;
        } else if !new_events.is_empty() {
            self.has_ended = false;
        }
        if word == Word::Corrected {
            self.corrected_at = received_at;
        }
        self.tracking_state = match self.tracking_state {
            TrackingState::CarrierCorrected if !ends_correction => TrackingState::CarrierCorrected,
            _ if word == Word::Stopped => self.why_stopped(),
            TrackingState::CarrierCorrected => tracking_state(TrackingState::Active, word),
            before if stays_ended => before,
            before => tracking_state(before, word),
        };
    }

    /// 17TRACK does not tell why it stopped: the parcel arrived, nothing was ever heard of it, or nothing for long.
    fn why_stopped(&self) -> TrackingState {
        if self.status.status.is_terminal() {
            TrackingState::Ended
        } else if self.events.is_empty() {
            TrackingState::AbortedNoRecord
        } else {
            TrackingState::AbortedStale
        }
    }

    /// Everything that a snapshot with items changes; the history is taken over as it is told now.
    fn take_items(&mut self, snapshot: &Snapshot, origin: Origin, received_at: i64) -> Vec<Change> {
        let before = std::mem::replace(&mut self.events, events::history(snapshot, received_at));
        for event in &mut self.events {
            // Rule 7.6.
            let known = before.iter().find(|known| known.id == event.id);
            event.origin = known.map_or(origin, |known| known.origin);
        }
        let transitions = transitions::transitions(&self.events);
        let changes = transitions::changes(&self.transitions, &transitions);
        self.transitions = transitions;
        self.status = events::shipment_status(&self.events);
        self.leg = self.events.last().map_or(Leg::Forward, |event| event.leg);

        // Rule 10.5: each the last non-empty value of the epoch.
        keep_last(&mut self.route.from_code, snapshot.route.from_code.as_ref());
        keep_last(&mut self.route.from_name, snapshot.route.from_name.as_ref());
        keep_last(&mut self.route.to_code, snapshot.route.to_code.as_ref());
        keep_last(&mut self.route.to_name, snapshot.route.to_name.as_ref());
        self.figures = milestones::figures(&self.events, &self.route);

        // Rule 4.11.
        self.edd_first = self.edd_first.or(snapshot.edd);
        self.edd_last = snapshot.edd.or(self.edd_last);

        self.flags = flags(snapshot, &self.events, &self.transitions, &self.figures);
        changes
    }
}

fn keep_last(kept: &mut Option<String>, told: Option<&String>) {
    if told.is_some() {
        *kept = told.cloned();
    }
}

/// Rule 11.1, of a shipment whose carrier is the right one.
fn tracking_state(before: TrackingState, word: Word) -> TrackingState {
    match word {
        Word::Active => TrackingState::Active,
        Word::Ended => TrackingState::Ended,
        Word::AbortedNoRecord => TrackingState::AbortedNoRecord,
        Word::AbortedStale => TrackingState::AbortedStale,
        Word::Corrected => TrackingState::CarrierCorrected,
        Word::Unchanged | Word::Stopped => before,
    }
}

/// Rule 10.7: recomputed with each accepted snapshot with items.
fn flags(
    snapshot: &Snapshot,
    events: &[Event],
    transitions: &[Transition],
    figures: &Figures,
) -> BTreeSet<&'static str> {
    use courierflow_schemas::records::{Status, Verdict};
    let after_the_end = transitions.iter().any(|transition| {
        transition.verdict == Verdict::Anomaly
            && matches!(
                transition.from_status,
                Status::Delivered | Status::Returned | Status::Cancelled
            )
    });
    [
        ("cross_border", snapshot.is_abroad()),
        ("tz_assumed", snapshot.tz_assumed),
        ("pickup_imputed", figures.pickup_imputed),
        ("delivery_revoked", figures.delivery_revoked),
        ("post_terminal_scan", after_the_end || figures.late_scan),
        ("return_signed", events.iter().any(|event| event.return_signed)),
        ("future_time", events.iter().any(|event| event.future)),
        ("bad_time", snapshot.bad_time()),
        ("unknown_code", events.iter().any(|event| event.unknown_code)),
        ("lane_inferred", figures.lane_inferred),
        ("route_loop", snapshot.is_loop),
        ("truncated", snapshot.is_truncated()),
        ("status_inferred", events.iter().any(|event| event.status_inferred)),
    ]
    .into_iter()
    .filter_map(|(flag, is_set)| is_set.then_some(flag))
    .collect()
}

fn push_row(push: &PushEvent) -> PushRow {
    let (carrier, tracking_status, items) = read::push_columns(push);
    PushRow {
        vendor: push.vendor.to_string(),
        account: push.account.clone(),
        received_at: push.received_at.0,
        push_id: push.push_id.0.iter().map(|byte| format!("{byte:02x}")).collect(),
        part: push.part,
        parts: push.parts,
        carrier,
        tracking_number: push.tracking_number.clone(),
        signature: push.signature.to_string(),
        tracking_status,
        items,
        bytes: u32::try_from(push.payload.len()).unwrap(),
        origin: push.origin.to_string(),
        query_reason: push.query_reason.clone(),
        reference: read::told_reference(push),
        push_time: read::told_push_time(push),
    }
}

fn shipment_row(push: &PushEvent, carrier: &str, shipment: &Shipment, last_push_at: Option<i64>) -> ShipmentRow {
    let figures = &shipment.figures;
    ShipmentRow {
        vendor: push.vendor.to_string(),
        account: push.account.clone(),
        carrier: carrier.to_owned(),
        tracking_number: push.tracking_number.clone(),
        epoch: shipment.epoch.clone(),
        version: shipment.version,
        first_received_at: shipment.first_received_at,
        received_at: push.received_at.0,
        last_push_at,
        status: shipment.status.status.to_string(),
        sub_status: shipment.status.sub_status.map(str::to_owned),
        raw_code: shipment.status.raw_code.clone(),
        leg: shipment.leg.to_string(),
        tracking_state: shipment.tracking_state.to_string(),
        origin_code: figures.origin_code.clone(),
        origin: figures.origin.as_deref().map(masking::masked),
        dest_code: figures.dest_code.clone(),
        dest: figures.dest.as_deref().map(masking::masked),
        created_at: figures.created_at,
        picked_up_at: figures.picked_up_at,
        left_origin_at: figures.left_origin_at,
        arrived_dest_at: figures.arrived_dest_at,
        out_for_delivery_at: figures.out_for_delivery_at,
        first_attempt_at: figures.first_attempt_at,
        available_at: figures.available_at,
        delivered_at: figures.delivered_at,
        returning_at: figures.returning_at,
        returned_at: figures.returned_at,
        cancelled_at: figures.cancelled_at,
        last_event_at: figures.last_event_at,
        edd_first: shipment.edd_first,
        edd_last: shipment.edd_last,
        reference: shipment.reference.clone(),
        dest_carrier: shipment.dest_carrier.clone(),
        dest_number: shipment.dest_number.clone(),
        corrected_to: shipment.corrected_to.clone(),
        attempts: u8::try_from(figures.attempts).unwrap_or(u8::MAX),
        exception_codes: figures.exception_codes.clone(),
        exception_reasons: figures.exception_reasons.clone(),
        flags: shipment.flags.iter().map(|flag| (*flag).to_owned()).collect(),
        event: shipment.events.iter().map(event_row).collect(),
    }
}

fn retired_row(push: &PushEvent, carrier: &str, epoch: &str) -> RetiredRow {
    RetiredRow {
        vendor: push.vendor.to_string(),
        carrier: carrier.to_owned(),
        tracking_number: push.tracking_number.clone(),
        epoch: epoch.to_owned(),
    }
}

fn event_row(event: &Event) -> EventRow {
    EventRow {
        id: event.id.clone(),
        occurred_at: event.occurred_at,
        local_time: event.local_time.clone(),
        status: event.status.to_string(),
        sub_status: event.sub_status.map(str::to_owned),
        raw_code: event.raw_code.clone(),
        segment: event.segment.to_string(),
        area_code: event.area_code.clone(),
        location: event.location.as_deref().map(masking::masked),
        context: masking::masked(&event.text),
        origin: event.origin.to_string(),
        area: event.area_name.as_deref().map(masking::masked),
    }
}

fn transition_row(push: &PushEvent, carrier: &str, shipment: &Shipment, transition: Transition) -> TransitionRow {
    TransitionRow {
        carrier: carrier.to_owned(),
        tracking_number: push.tracking_number.clone(),
        vendor: push.vendor.to_string(),
        epoch: shipment.epoch.clone(),
        occurred_at: transition.occurred_at,
        transition_id: transition.id,
        version: shipment.version,
        first_received_at: shipment.first_received_at,
        received_at: push.received_at.0,
        from_status: transition.from_status.to_string(),
        from_sub_status: transition.from_sub_status.map(str::to_owned),
        to_status: transition.to_status.to_string(),
        to_sub_status: transition.to_sub_status.map(str::to_owned),
        raw_code: transition.raw_code,
        leg: transition.leg.to_string(),
        dwell_seconds: transition.dwell_seconds,
        verdict: transition.verdict.to_string(),
        is_exception: transition.is_exception,
        party: transition.party.map(str::to_owned),
        area_code: transition.area_code,
        location: transition.location.as_deref().map(masking::masked),
        origin: transition.origin.to_string(),
    }
}
