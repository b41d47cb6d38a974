//! Transitions: recomputed over the whole history (rules 9.1–9.3, 9.5) and compared with the ones before (rule 9.4).

use courierflow_schemas::records::{Leg, Origin, Status, Verdict};

use super::codes;
use super::events::Event;
use super::time::DAY;

/// The content of a transition: what makes it changed when it differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transition {
    /// Id of the event that caused it.
    pub(super) id: String,
    pub(super) occurred_at: i64,
    pub(super) from_status: Status,
    pub(super) from_sub_status: Option<&'static str>,
    pub(super) to_status: Status,
    pub(super) to_sub_status: Option<&'static str>,
    pub(super) raw_code: Option<String>,
    pub(super) leg: Leg,
    pub(super) dwell_seconds: Option<i64>,
    pub(super) verdict: Verdict,
    pub(super) is_exception: bool,
    pub(super) party: Option<&'static str>,
    pub(super) area_code: Option<String>,
    pub(super) location: Option<String>,
    /// Rule 7.6.
    pub(super) origin: Origin,
}

/// Rule 9.1: a transition for each event whose (leg, status, sub-status) differs from that of the event with a known
/// status before it.
pub(super) fn transitions(events: &[Event]) -> Vec<Transition> {
    let mut transitions: Vec<Transition> = Vec::new();
    let mut before: Option<&Event> = None;
    let mut exception_seen = false;
    for event in events.iter().filter(|event| event.status != Status::Unknown) {
        let is_change = before.is_none_or(|before| {
            (before.leg, before.status, before.sub_status) != (event.leg, event.status, event.sub_status)
        });
        if is_change {
            // Rule 9.3: since the transition before, not since the event before.
            let dwell_seconds = transitions.last().map(|last| event.occurred_at - last.occurred_at);
            transitions.push(Transition {
                id: event.id.clone(),
                occurred_at: event.occurred_at,
                from_status: before.map_or(Status::Unknown, |before| before.status),
                from_sub_status: before.and_then(|before| before.sub_status),
                to_status: event.status,
                to_sub_status: event.sub_status,
                raw_code: event.raw_code.clone(),
                leg: event.leg,
                dwell_seconds,
                verdict: verdict(before, event, dwell_seconds, exception_seen),
                is_exception: event.is_exception,
                party: event.is_exception.then(|| codes::party(event.sub_status)),
                area_code: event.area_code.clone(),
                location: event.location.clone(),
                origin: event.origin,
            });
        }
        before = Some(event);
        exception_seen = exception_seen || event.status == Status::Exception;
    }
    transitions
}

/// Rule 9.5, first match wins.
fn verdict(before: Option<&Event>, event: &Event, dwell_seconds: Option<i64>, exception_seen: bool) -> Verdict {
    use Status::{
        AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery,
        PickedUp, Returned, Returning, Unknown,
    };
    use Verdict::{Anomaly, Expected, Tolerated};

    let Some(before) = before else { return Expected };
    if event.return_signed {
        return Anomaly;
    }
    let (from, to, to_sub_status) = (before.status, event.status, event.sub_status);
    if from == to {
        return if matches!(from, Exception | AvailableForPickup) {
            Tolerated
        } else {
            Expected
        };
    }
    match from {
        Unknown => Expected,
        InfoReceived => match to {
            PickedUp | Cancelled => Expected,
            Delivered => Anomaly,
            _ => Tolerated,
        },
        PickedUp => match to {
            InTransit | Customs | OutForDelivery | Cancelled => Expected,
            InfoReceived => Anomaly,
            _ => Tolerated,
        },
        InTransit | Customs => match to {
            InTransit | Customs | OutForDelivery | Exception => Expected,
            Cancelled => Anomaly,
            _ => Tolerated,
        },
        OutForDelivery => match to {
            Delivered | AvailableForPickup | Exception => Expected,
            InTransit if !exception_seen => Anomaly,
            _ => Tolerated,
        },
        AvailableForPickup => match to {
            Delivered | Returning => Expected,
            Exception if to_sub_status == Some("PICKUP_OVERDUE") => Expected,
            OutForDelivery if to_sub_status == Some("RETRIEVED_FROM_LOCKER") => Expected,
            InTransit => Anomaly,
            _ => Tolerated,
        },
        Exception => match to {
            Cancelled => Expected,
            Delivered if to_sub_status == Some("AFTER_EXCEPTION") => Expected,
            Delivered | Returned => Tolerated,
            _ => Expected,
        },
        Returning => match to {
            Returned | Exception => Expected,
            _ => Tolerated,
        },
        Delivered => match to {
            Returned => Tolerated,
            Returning if dwell_seconds.is_some_and(|dwell| dwell <= 30 * DAY) => Tolerated,
            _ => Anomaly,
        },
        Returned => Anomaly,
        Cancelled => match to {
            PickedUp => Tolerated,
            _ => Anomaly,
        },
    }
}

/// What a new list of transitions says about the old one.
pub(super) enum Change {
    Observed(Transition),
    Retracted(Transition),
}

/// Only the difference: vanished ones void, new and changed ones observed. A transition that moved in time is both, because
/// its time is part of its key.
pub(super) fn changes(old: &[Transition], new: &[Transition]) -> Vec<Change> {
    let mut changes = Vec::new();
    for old in old {
        if !new
            .iter()
            .any(|new| new.id == old.id && new.occurred_at == old.occurred_at)
        {
            changes.push(Change::Retracted(old.clone()));
        }
    }
    for new in new {
        if !old.contains(new) {
            changes.push(Change::Observed(new.clone()));
        }
    }
    changes
}
