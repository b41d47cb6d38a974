//! Transitions: the changes of (leg, status, sub-status) along a history, and which of them are new (rules 9.1–9.3).

use courierflow_schemas::records::{EpochDay, Op, Shipment, ShipmentEvent, Status, Transition, Verdict};

use crate::known::memory::RememberedChange;
use crate::life::verdict::{self, Circumstances};
use crate::untold::event_id::transition_id;
use crate::untold::id_key::IdKey;
use courierflow_schemas::meaning::party_of;
use courierflow_vendors::fingerprint::Fingerprint;

/// One change along a history: a pure function of its events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusChange<'e> {
    from_status: Status,
    from_sub_status: Option<&'e str>,
    event: &'e ShipmentEvent,
    dwell_seconds: Option<i64>,
    pub(crate) verdict: Verdict,
}

impl StatusChange<'_> {
    /// True for an ANOMALY that leaves a terminal status: a scan of a parcel that had reached its end.
    pub(crate) fn is_post_terminal_scan(&self) -> bool {
        self.verdict == Verdict::Anomaly && self.from_status.is_terminal()
    }

    /// What is remembered to decide later whether the record of the same event would change, apart from the time when
    /// it was learnt.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low halves")]
    pub(crate) fn remembered(&self) -> RememberedChange {
        let event = self.event;
        let content = Fingerprint::with_capacity(256)
            .text(self.from_status.as_str())
            .optional_text(self.from_sub_status)
            .text(event.status.as_str())
            .optional_text(event.sub_status.as_deref())
            .optional_text(event.raw_code.as_deref())
            .text(event.leg.as_str())
            .optional_number(self.dwell_seconds)
            .text(self.verdict.as_str())
            .flag(event.is_exception)
            .optional_text(event.area_code.as_deref())
            .optional_text(event.location.as_deref())
            .finish();
        RememberedChange {
            event_id: event.id,
            occurred_at: event.occurred_at.0.div_euclid(60_000) as u16,
            content: content as u32,
        }
    }

    fn record(&self, op: Op, shipment: &Shipment, epoch: EpochDay, key: IdKey) -> Transition {
        let event = self.event;
        Transition {
            transition_id: transition_id(event.id, key),
            op,
            version: shipment.version,
            vendor: shipment.vendor,
            account: shipment.account.clone(),
            carrier: shipment.carrier.clone(),
            tracking_number: shipment.tracking_number.clone(),
            epoch,
            first_received_at: shipment.first_received_at,
            received_at: shipment.received_at,
            from_status: self.from_status,
            from_sub_status: self.from_sub_status.map(str::to_owned),
            to_status: event.status,
            to_sub_status: event.sub_status.clone(),
            raw_code: event.raw_code.clone(),
            leg: event.leg,
            occurred_at: event.occurred_at,
            dwell_seconds: self.dwell_seconds,
            verdict: self.verdict,
            is_exception: event.is_exception,
            party: event
                .is_exception
                .then(|| party_of(event.sub_status.as_deref()).as_str().to_owned()),
            area_code: event.area_code.clone(),
            location: event.location.clone(),
            origin: event.origin,
        }
    }
}

/// The changes along a history. Events of unknown status neither make a change nor interrupt the current status.
pub(crate) fn changes(events: &[ShipmentEvent]) -> Vec<StatusChange<'_>> {
    let mut changes: Vec<StatusChange<'_>> = Vec::with_capacity(events.len());
    let mut current: Option<&ShipmentEvent> = None;
    let mut after_exception = false;
    for event in events.iter().filter(|event| event.status != Status::Unknown) {
        let is_change = current.is_none_or(|current| {
            (current.leg, current.status, &current.sub_status) != (event.leg, event.status, &event.sub_status)
        });
        if is_change {
            let dwell_seconds = changes.last().map(|change| {
                event
                    .occurred_at
                    .0
                    .saturating_sub(change.event.occurred_at.0)
                    .div_euclid(1000)
            });
            let from_status = current.map_or(Status::Unknown, |current| current.status);
            changes.push(StatusChange {
                from_status,
                from_sub_status: current.and_then(|current| current.sub_status.as_deref()),
                event,
                dwell_seconds,
                verdict: verdict::judge(
                    from_status,
                    event,
                    Circumstances {
                        dwell_seconds,
                        after_exception,
                    },
                ),
            });
        }
        after_exception |= event.status == Status::Exception;
        current = Some(event);
    }
    changes
}

/// Records of everything that changed from `before` to `now`, in order of time and retractions first, so that a consumer
/// that applies them in order never holds two rows of one change. `shipment` is the new state of the same life,
/// `epoch_before` its former epoch, `remembered` the memory of `now`. `recall` returns the events of the last state; it is
/// called only when something must be retracted.
pub(crate) fn news<'r, E>(
    before: &[RememberedChange],
    epoch_before: EpochDay,
    now: &[StatusChange<'_>],
    remembered: &[RememberedChange],
    shipment: &Shipment,
    key: IdKey,
    recall: impl FnOnce() -> Result<&'r [ShipmentEvent], E>,
) -> Result<Vec<Transition>, E> {
    let old = ById::of(before);
    let new = ById::of(remembered);
    // Time is part of the key of a transition, so one whose time changed is another row.
    let is_still_there = |change: &RememberedChange| {
        new.find(change.event_id)
            .is_some_and(|current| current.occurred_at == change.occurred_at)
    };
    let mut records = Vec::new();
    if !before.iter().all(is_still_there) {
        let retracted = changes(recall()?)
            .into_iter()
            .filter(|change| !is_still_there(&change.remembered()));
        records.extend(retracted.map(|change| change.record(Op::Retracted, shipment, epoch_before, key)));
    }
    for (change, remembered) in now.iter().zip(remembered) {
        if old.find(remembered.event_id) != Some(remembered) {
            records.push(change.record(Op::Observed, shipment, shipment.epoch, key));
        }
    }
    Ok(records)
}

/// Changes by the id of their event.
struct ById<'s> {
    sorted: Vec<&'s RememberedChange>,
}

impl<'s> ById<'s> {
    fn of(changes: &'s [RememberedChange]) -> Self {
        let mut sorted: Vec<_> = changes.iter().collect();
        sorted.sort_unstable_by_key(|change| change.event_id);
        Self { sorted }
    }

    fn find(&self, event_id: i64) -> Option<&'s RememberedChange> {
        let position = self
            .sorted
            .binary_search_by_key(&event_id, |change| change.event_id)
            .ok()?;
        self.sorted.get(position).copied()
    }
}
