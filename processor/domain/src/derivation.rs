//! The pipeline from a snapshot to records; [`derive()`] shows all of it from top to bottom.

use courierflow_schemas::records::{Identity, Op, Origin, Segment, Shipment, Signature, Transition, Verdict};

use courierflow_vendors::snapshot::Snapshot;

use crate::DeriveOptions;
use crate::known::epoch::{self, Epoch, Span};
use crate::known::freshness::{self, AnswerIs};
use crate::known::memory::{Memory, RememberedChange};
use crate::known::overlap::Overlap;
use crate::known::recent_pushes;
use crate::known::told_once;
use crate::life::history::{self, History};
use crate::life::transition::{self, StatusChange};
use crate::life::{delivered, parcel_status, tracking_state};
use crate::measures::lane::Route;
use crate::measures::{self, flags, milestones};
use crate::untold::event_id::{content_id, event_ids};

/// The outcome of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not signed, while the last accepted push was verified: nothing to emit.
    Outranked,
    /// The same content again: nothing to emit.
    Duplicate,
    /// Older than the current state: nothing to emit.
    Stale,
    /// An answer to a query that tells nothing new: nothing to emit.
    Confirmed,
    /// Accepted: emit this.
    Accepted(Box<Derived>),
}

impl Outcome {
    /// Stable label for metrics.
    pub const fn tag(&self) -> &'static str {
        match self {
            Self::Outranked => "outranked",
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Confirmed => "confirmed",
            Self::Accepted(_) => "accepted",
        }
    }
}

/// Records to emit, and figures about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The new state, which replaces the old one completely.
    pub shipment: Shipment,
    /// The memory of it, for the next push.
    pub memory: Memory,
    /// The changes: retractions first, then the others, each in order of time.
    pub transitions: Vec<Transition>,
    /// For metrics.
    pub counts: Counts,
}

/// Figures about one accepted push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// 1 if a new epoch replaced an older one.
    pub new_epochs: u32,
    /// 1 if the vendor retracted events that it had reported before.
    pub rewrites: u32,
    /// Retracted events.
    pub retracted_events: u32,
    /// Retracted transitions.
    pub retracted_transitions: u32,
    /// New or changed transitions.
    pub observed_transitions: u32,
    /// Those of them with the verdict ANOMALY.
    pub anomalies: u32,
    /// Items with a code that is missing in the vendor's table.
    pub unknown_codes: u32,
    /// Items dropped because of their time.
    pub bad_times: u32,
    /// Items left out because there were too many (rule 4.12).
    pub left_out: u32,
    /// Events in the future.
    pub future_events: u32,
    /// 1 if the push claims to have been sent more than 10 minutes after it was received.
    pub future_push_times: u32,
}

/// The last record of a shipment, read back at most once and only when needed.
struct Record<F> {
    recall: Option<F>,
    recalled: Option<Shipment>,
}

impl<E, F: FnOnce() -> Result<Shipment, E>> Record<F> {
    fn get(&mut self) -> Result<Option<&Shipment>, E> {
        if let Some(recall) = self.recall.take() {
            self.recalled = Some(recall()?);
        }
        Ok(self.recalled.as_ref())
    }
}

/// Derives the next state of a shipment. `previous` is the memory of the last record emitted for the snapshot's key.
/// `recall` reads that record itself, for the few pushes that need its texts: those without items, those that retract
/// events, and those that lack what was told before: a route, an order, a number abroad. Fails only if `recall` does.
pub fn derive<E>(
    previous: Option<&Memory>,
    recall: impl FnOnce() -> Result<Shipment, E>,
    snapshot: &Snapshot<'_>,
    options: DeriveOptions,
) -> Result<Outcome, E> {
    let mut record = Record {
        recall: Some(recall),
        recalled: None,
    };
    let content_id = content_id(snapshot.content_hash, options.id_key);
    if let Some(previous) = previous {
        if freshness::is_outranked(previous, snapshot) {
            return Ok(Outcome::Outranked);
        }
        if freshness::is_duplicate(previous, snapshot, content_id) {
            return Ok(Outcome::Duplicate);
        }
    }
    let told = Span::of_snapshot(snapshot);
    let (known, overlap) = match previous {
        Some(previous) if !snapshot.items.is_empty() => (
            Span::of_epoch(previous, || record.get(), snapshot.received_at)?,
            Some(Overlap::of(previous, snapshot, options.id_key)),
        ),
        _ => (Span::default(), None),
    };
    if snapshot.origin == Origin::Query {
        if let Some(outcome) = refused_answer(previous, overlap.as_ref(), told, known, &mut record, snapshot)? {
            return Ok(outcome);
        }
    } else if previous.is_some_and(|previous| freshness::is_stale(previous, snapshot, overlap.as_ref(), told, known)) {
        return Ok(Outcome::Stale);
    }
    let epoch = epoch::of_push(previous, snapshot.received_at, told, known, overlap.as_ref());
    let opened = opened(previous, epoch, told, overlap.as_ref(), snapshot, content_id);
    let opened = told_once::complete(opened, epoch.known(), || record.get(), snapshot)?;
    if snapshot.items.is_empty() {
        let shipment = without_items(previous, opened, &mut record)?;
        let memory = Memory::of(&shipment);
        let counts = Counts {
            future_push_times: u32::from(freshness::has_future_push_time(snapshot)),
            ..Counts::default()
        };
        return Ok(accepted(shipment, memory, Vec::new(), counts));
    }
    with_items(previous, epoch, opened, overlap, &mut record, snapshot, options)
}

/// The outcome of an answer to a query that changes nothing (rule 5.9). Of a parcel that is not known, any line is news.
fn refused_answer<E, F: FnOnce() -> Result<Shipment, E>>(
    previous: Option<&Memory>,
    overlap: Option<&Overlap>,
    told: Span,
    known: Span,
    record: &mut Record<F>,
    snapshot: &Snapshot<'_>,
) -> Result<Option<Outcome>, E> {
    if previous.is_none() {
        return Ok(snapshot.items.is_empty().then_some(Outcome::Confirmed));
    }
    let knows_abroad = || {
        let events = record.get()?.map(|record| record.events.as_slice()).unwrap_or_default();
        Ok(events.iter().any(|event| event.segment == Segment::Destination))
    };
    Ok(match freshness::judge_answer(overlap, told, known, knows_abroad)? {
        AnswerIs::Confirmed => Some(Outcome::Confirmed),
        AnswerIs::Stale => Some(Outcome::Stale),
        AnswerIs::Fresher => None,
    })
}

/// Derives everything that depends on the events of a push. `opened` is the shipment with everything that does not.
fn with_items<E, F: FnOnce() -> Result<Shipment, E>>(
    previous: Option<&Memory>,
    epoch: Epoch<'_>,
    opened: Shipment,
    overlap: Option<Overlap>,
    record: &mut Record<F>,
    snapshot: &Snapshot<'_>,
    options: DeriveOptions,
) -> Result<Outcome, E> {
    let same_epoch = epoch.known();
    let lacking = match (epoch, &overlap) {
        (Epoch::Same(_), Some(overlap)) => overlap.lacking,
        // A new life retracts nothing, and neither does renaming an epoch.
        _ => 0,
    };
    let (event_ids, origins) = match (epoch, overlap) {
        (Epoch::Same(_), Some(overlap)) => (overlap.event_ids, overlap.origins),
        // Under another name of the epoch the same events have other ids.
        (Epoch::Moved(..), Some(overlap)) => (event_ids(snapshot, epoch.day(), options.id_key), overlap.origins),
        _ => (event_ids(snapshot, epoch.day(), options.id_key), None),
    };
    let mut history = history::build(snapshot, &event_ids, origins.as_deref(), options);

    // Events in the future count for status and transitions, but not for milestones (rule 4.6).
    let found = milestones::find(history.past());
    let passed_over = history.behind(found.delivered).is_some_and(delivered::settle);
    let status = parcel_status::decide(&history.events, found.delivered);
    let changes = transition::changes(&history.events);
    let has_post_terminal_scan = passed_over || changes.iter().any(StatusChange::is_post_terminal_scan);

    let route = route(same_epoch, record, snapshot)?;
    let measures = measures::take(&history, &found, &route, snapshot.tracking_number.as_ref());
    let flags = flags::names(snapshot, &history, &found, &measures.lane, has_post_terminal_scan);

    let mut shipment = Shipment {
        status: status.status,
        sub_status: status.sub_status,
        raw_code: status.raw_code,
        leg: status.leg,
        edd_first: same_epoch.and_then(|previous| previous.edd_first).or(snapshot.edd),
        edd_last: snapshot.edd.or(same_epoch.and_then(|previous| previous.edd_last)),
        flags,
        route_origin_code: route.origin.code,
        route_origin: route.origin.name,
        route_dest_code: route.dest.code,
        route_dest: route.dest.name,
        ..measures.into_shipment(opened)
    };
    let remembered: Vec<RememberedChange> = changes.iter().map(StatusChange::remembered).collect();
    let transitions = transition::news(
        same_epoch.map_or(&[][..], |previous| previous.changes.as_slice()),
        same_epoch.map_or(shipment.epoch, |previous| previous.epoch),
        &changes,
        &remembered,
        &shipment,
        options.id_key,
        || {
            let record = record.get()?;
            Ok(record.map_or(&[][..], |record| record.events.as_slice()))
        },
    )?;

    let counts = Counts {
        new_epochs: u32::from(previous.is_some() && same_epoch.is_none()),
        rewrites: u32::from(lacking > 0),
        retracted_events: lacking,
        ..counts_of(snapshot, &history)
    };
    shipment.events = history.events;
    let memory = Memory::with_changes(&shipment, remembered);
    Ok(accepted(shipment, memory, transitions, counts))
}

/// The vendor's route, completed with what the vendor said earlier in this epoch.
fn route<E, F: FnOnce() -> Result<Shipment, E>>(
    same_epoch: Option<&Memory>,
    record: &mut Record<F>,
    snapshot: &Snapshot<'_>,
) -> Result<Route, E> {
    let (from, to) = (&snapshot.route_from, &snapshot.route_to);
    let known = match same_epoch {
        Some(previous) if Route::needs_record(previous.has_route, from, to) => record.get()?,
        _ => None,
    };
    Ok(Route::after(known, from, to, snapshot.tracking_number.as_ref()))
}

/// The counts that depend only on the snapshot and its events.
fn counts_of(snapshot: &Snapshot<'_>, history: &History<'_>) -> Counts {
    Counts {
        unknown_codes: history.unknown_codes,
        bad_times: snapshot.bad_times,
        left_out: snapshot.left_out,
        future_events: saturated(history.future().len()),
        future_push_times: u32::from(freshness::has_future_push_time(snapshot)),
        ..Counts::default()
    }
}

/// A push without items changes what is known about the push and the subscription, and nothing about the parcel (rules
/// 5.4, 5.6, 11.1). It belongs to the latest epoch.
fn without_items<E, F: FnOnce() -> Result<Shipment, E>>(
    previous: Option<&Memory>,
    opened: Shipment,
    record: &mut Record<F>,
) -> Result<Shipment, E> {
    // Without events, the record has nothing that the memory does not have.
    let has_events = previous.is_some_and(|previous| previous.first_event_at.is_some());
    let record = if has_events { record.get()? } else { None };
    Ok(match record {
        None => opened,
        Some(record) => Shipment {
            account: opened.account,
            version: opened.version,
            received_at: opened.received_at,
            push_id: opened.push_id,
            push_time: opened.push_time,
            last_push_at: opened.last_push_at,
            tracking_state: opened.tracking_state,
            is_verified: opened.is_verified,
            is_ended: opened.is_ended,
            corrected_at: opened.corrected_at,
            recent_pushes: opened.recent_pushes,
            reference: opened.reference,
            dest_carrier: opened.dest_carrier,
            dest_number: opened.dest_number,
            corrected_to: opened.corrected_to,
            ..record.clone()
        },
    })
}

/// A shipment with its identity, push and subscription, and nothing about the parcel yet. `previous` is the memory of the
/// key's last record.
fn opened(
    previous: Option<&Memory>,
    epoch: Epoch<'_>,
    told: Span,
    overlap: Option<&Overlap>,
    snapshot: &Snapshot<'_>,
    content_id: i64,
) -> Shipment {
    let known = epoch.known();
    let tracking = tracking_state::after(known, snapshot, overlap.and_then(|overlap| overlap.newest_news));
    let identity = Identity {
        vendor: snapshot.vendor,
        carrier: snapshot.carrier.clone().into_owned(),
        tracking_number: snapshot.tracking_number.clone().into_owned(),
        epoch: epoch.day(),
    };
    Shipment {
        account: snapshot.account.clone().into_owned(),
        version: version_after(previous, snapshot),
        first_received_at: known.map_or(snapshot.received_at, |known| known.first_received_at),
        received_at: snapshot.received_at,
        push_id: snapshot.push_id,
        push_time: match snapshot.origin {
            Origin::Push => freshness::credible_push_time(snapshot),
            // Rule 5.10: the vendor's last push is still that one.
            Origin::Query => previous.and_then(|previous| previous.push_time),
        },
        last_push_at: match snapshot.origin {
            Origin::Push => Some(snapshot.received_at),
            Origin::Query => previous.and_then(Memory::last_push_at),
        },
        tracking_state: tracking.state,
        is_verified: match snapshot.origin {
            Origin::Push => snapshot.signature == Signature::Verified,
            // Rule 5.10: whether pushes are signed, only pushes tell.
            Origin::Query => previous.is_some_and(|previous| previous.is_verified),
        },
        is_provisional: told.first.is_none() && known.is_none_or(|known| known.is_provisional),
        retired_epoch: epoch.retired(),
        is_ended: tracking.is_ended,
        corrected_at: tracking.corrected_at,
        recent_pushes: recent_pushes::with_accepted(previous, snapshot, content_id),
        ..Shipment::bare(identity)
    }
}

/// `received_at`, or the last version plus one if that is larger, as it is when the clocks of two receivers disagree:
/// versions must grow.
fn version_after(previous: Option<&Memory>, snapshot: &Snapshot<'_>) -> i64 {
    let received_at = snapshot.received_at.0;
    previous.map_or(received_at, |previous| {
        received_at.max(previous.version().saturating_add(1))
    })
}

fn accepted(shipment: Shipment, memory: Memory, transitions: Vec<Transition>, counts: Counts) -> Outcome {
    let of_op = |op| saturated(transitions.iter().filter(|transition| transition.op == op).count());
    let counts = Counts {
        retracted_transitions: of_op(Op::Retracted),
        observed_transitions: of_op(Op::Observed),
        anomalies: saturated(
            transitions
                .iter()
                .filter(|transition| transition.op == Op::Observed && transition.verdict == Verdict::Anomaly)
                .count(),
        ),
        ..counts
    };
    Outcome::Accepted(Box::new(Derived {
        shipment,
        memory,
        transitions,
        counts,
    }))
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
