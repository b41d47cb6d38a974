//! The pipeline from a snapshot to records, readable from top to bottom in [`derive()`].

use courierflow_schemas::records::{EpochDay, Leg, Milestones, Op, Shipment, Status, Transition, Verdict};

use super::DeriveOptions;
use super::epoch::{self, Epoch};
use super::event_id::event_ids;
use super::flags::Flags;
use super::freshness::{self, Freshness};
use super::lane::{self, Route};
use super::memory::{Memory, RememberedStep};
use super::transition::{self, Step};
use super::{attempts, exceptions, history, milestones, parcel_status, recent_pushes, tracking_state};
use courierflow_vendors::snapshot::Snapshot;

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The same content again: nothing to emit.
    Duplicate,
    /// Older than what is known: nothing to emit.
    Stale,
    /// Accepted: emit this.
    Accepted(Box<Derived>),
}

impl Outcome {
    /// Stable label for metrics.
    pub const fn tag(&self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Accepted(_) => "accepted",
        }
    }
}

/// Records to emit, and figures about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The new state, which replaces the old one whole.
    pub shipment: Shipment,
    /// What to remember of it.
    pub memory: Memory,
    /// What changed: retractions first, each kind in order of time.
    pub transitions: Vec<Transition>,
    /// For metrics.
    pub counts: Counts,
}

/// Figures about one accepted push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// 1 if a new epoch replaced an older one.
    pub new_epochs: u32,
    /// 1 if the vendor took back events that it had told before.
    pub rewrites: u32,
    /// Events taken back.
    pub retracted_events: u32,
    /// Transitions void.
    pub retracted_transitions: u32,
    /// Transitions new or changed.
    pub observed_transitions: u32,
    /// Those of them that should not happen.
    pub anomalies: u32,
    /// Items with a code that the vendor's table does not have.
    pub unknown_codes: u32,
    /// Items dropped because of their time.
    pub bad_times: u32,
    /// Events in the future.
    pub future_events: u32,
}

/// The last record of a shipment, read back at most once, and only if it is asked for.
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

/// Derives the next state of a shipment. `previous` is what was remembered of the last record emitted for the snapshot's
/// key; `recall` reads that record itself, for the few pushes that need its texts: one without items, one that takes
/// events back, one that leaves out a route told before. Fails only if `recall` does.
pub fn derive<E>(
    previous: Option<&Memory>,
    recall: impl FnOnce() -> Result<Shipment, E>,
    snapshot: &Snapshot<'_>,
    options: DeriveOptions,
) -> Result<Outcome, E> {
    match previous.map_or(Freshness::Fresh, |previous| freshness::judge(previous, snapshot)) {
        Freshness::Duplicate => return Ok(Outcome::Duplicate),
        Freshness::Stale => return Ok(Outcome::Stale),
        Freshness::Fresh => {}
    }
    let mut record = Record {
        recall: Some(recall),
        recalled: None,
    };
    if snapshot.items.is_empty() {
        let shipment = without_items(previous, &mut record, snapshot)?;
        let memory = Memory::of(&shipment);
        return Ok(accepted(shipment, memory, Vec::new(), Counts::default()));
    }

    let (day, same_epoch) = match epoch::of_items(previous, snapshot) {
        Epoch::Same(previous) => (previous.epoch, Some(previous)),
        Epoch::New(day) => (day, None),
    };
    let history = history::build(snapshot, &event_ids(snapshot, day), options);
    let steps = transition::steps(&history.events);
    let status = parcel_status::decide(snapshot, &history);

    // Events in the future take part in status and transitions, not in what follows (rule 28).
    let past = history.past();
    let mut found = milestones::find(past);
    let (from, to) = (&snapshot.route_from, &snapshot.route_to);
    let known_route = match same_epoch {
        Some(previous) if Route::needs_record(previous.has_route, from, to) => record.get()?,
        _ => None,
    };
    let route = Route::after(known_route, from, to);
    let lane = lane::find(&route, &history.events, &history.area_names, found.delivered);
    found.milestones.left_origin_at = lane::left_origin_at(past, &lane);
    found.milestones.arrived_dest_at = lane::arrived_dest_at(past, &lane);
    let attempts = attempts::count(past, found.milestones.first_attempt_at);
    let (exception_codes, exception_reasons) = exceptions::lists(past);

    let future_events = history.events.len().saturating_sub(past.len());
    let flags = Flags {
        bad_time: snapshot.bad_times > 0,
        delivery_revoked: found.delivery_revoked,
        future_time: future_events > 0,
        lane_inferred: lane.inferred,
        pickup_imputed: found.pickup_imputed,
        post_terminal_scan: steps.iter().any(Step::is_post_terminal_scan),
        return_signed: history.events.iter().any(|event| event.return_signed),
        route_loop: snapshot.route_loop,
        tz_assumed: history.zone_assumed,
        unknown_code: history.unknown_codes > 0,
    };

    let mut shipment = Shipment {
        status: status.status,
        sub_status: status.sub_status,
        raw_code: status.raw_code,
        leg: status.leg,
        origin_code: lane.origin.code,
        origin: lane.origin.name,
        dest_code: lane.dest.code,
        dest: lane.dest.name,
        milestones: found.milestones,
        attempts,
        exception_codes,
        exception_reasons,
        edd_first: same_epoch.and_then(|previous| previous.edd_first).or(snapshot.edd),
        edd_last: snapshot.edd.or(same_epoch.and_then(|previous| previous.edd_last)),
        flags: flags.names(),
        route_origin_code: route.origin.code,
        route_origin: route.origin.name,
        route_dest_code: route.dest.code,
        route_dest: route.dest.name,
        ..opened(previous, same_epoch, snapshot, day)
    };
    let known_steps = same_epoch.map_or(&[][..], |previous| previous.steps.as_slice());
    let remembered: Vec<RememberedStep> = steps.iter().map(Step::remembered).collect();
    let transitions = transition::news(known_steps, &steps, &remembered, &shipment, || {
        let record = record.get()?;
        Ok(record.map_or(&[][..], |record| record.events.as_slice()))
    })?;

    let retracted_events = same_epoch.map_or(0, |previous| saturated(previous.count_vanished(&history.events)));
    let counts = Counts {
        new_epochs: u32::from(previous.is_some() && same_epoch.is_none()),
        rewrites: u32::from(retracted_events > 0),
        retracted_events,
        unknown_codes: history.unknown_codes,
        bad_times: snapshot.bad_times,
        future_events: saturated(future_events),
        ..Counts::default()
    };
    shipment.events = history.events;
    let memory = Memory::with_steps(&shipment, remembered);
    Ok(accepted(shipment, memory, transitions, counts))
}

/// A push without items changes what is known about the push and the subscription, and nothing about the parcel (rules 1,
/// 19, 21). It belongs to the latest epoch.
fn without_items<E, F: FnOnce() -> Result<Shipment, E>>(
    previous: Option<&Memory>,
    record: &mut Record<F>,
    snapshot: &Snapshot<'_>,
) -> Result<Shipment, E> {
    let opened = opened(
        previous,
        previous,
        snapshot,
        previous.map_or(epoch::WITHOUT_EVENTS, |previous| previous.epoch),
    );
    // A shipment without events has nothing that memory does not have.
    let has_events = previous.is_some_and(|previous| previous.last_event_at.is_some());
    let record = if has_events { record.get()? } else { None };
    Ok(match record {
        None => opened,
        Some(record) => Shipment {
            account: opened.account,
            version: opened.version,
            received_at: opened.received_at,
            push_id: opened.push_id,
            push_time: opened.push_time,
            tracking_state: opened.tracking_state,
            recent_pushes: opened.recent_pushes,
            ..record.clone()
        },
    })
}

/// A shipment that knows its identity, its push and its subscription, and nothing about the parcel yet. `previous` is the
/// last record of the key, `same_epoch` the same if the epoch goes on.
fn opened(
    previous: Option<&Memory>,
    same_epoch: Option<&Memory>,
    snapshot: &Snapshot<'_>,
    epoch: EpochDay,
) -> Shipment {
    Shipment {
        vendor: snapshot.vendor,
        account: snapshot.account.clone().into_owned(),
        carrier: snapshot.carrier.clone().into_owned(),
        tracking_number: snapshot.tracking_number.clone().into_owned(),
        epoch,
        version: version_after(previous, snapshot),
        first_received_at: same_epoch.map_or(snapshot.received_at, |previous| previous.first_received_at),
        received_at: snapshot.received_at,
        push_id: snapshot.push_id,
        push_time: snapshot.push_time,
        status: Status::Unknown,
        sub_status: None,
        raw_code: None,
        leg: Leg::Forward,
        tracking_state: tracking_state::after(same_epoch, snapshot.tracking),
        origin_code: None,
        origin: None,
        dest_code: None,
        dest: None,
        milestones: Milestones::default(),
        attempts: 0,
        exception_codes: Vec::new(),
        exception_reasons: Vec::new(),
        edd_first: None,
        edd_last: None,
        flags: Vec::new(),
        route_origin_code: None,
        route_origin: None,
        route_dest_code: None,
        route_dest: None,
        events: Vec::new(),
        recent_pushes: recent_pushes::with_accepted(previous, snapshot),
    }
}

/// `received_at`, or one more than the last version where clocks of two receivers disagree: versions only grow.
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
