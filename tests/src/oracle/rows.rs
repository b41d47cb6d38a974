//! The rows that the three tables of pushes and parcels should show, and the records that the two derived topics should carry.
//!
//! Event times are seconds, `received_at` and versions microseconds, both since 1970, UTC. Ids are readable texts of what
//! the real ids are hashes of; [`super::compare`] compares their structure, not their value.

use std::collections::BTreeMap;

use courierflow_schemas::records::{Op, Shipment, TimestampMillis, Transition};
use serde::{Deserialize, Serialize};

/// A row of `push` (rule 14.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "columns, documented with the table")]
pub struct PushRow {
    pub vendor: String,
    pub account: String,
    pub received_at: i64,
    /// Lower-case hex.
    pub push_id: String,
    pub part: u16,
    pub parts: u16,
    pub carrier: String,
    pub tracking_number: String,
    pub signature: String,
    pub tracking_status: String,
    pub items: u16,
    pub bytes: u32,
    pub origin: String,
    pub query_reason: Option<String>,
    pub reference: Option<String>,
    pub push_time: Option<i64>,
}

/// A row of `shipment`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "columns, documented with the table")]
pub struct ShipmentRow {
    pub vendor: String,
    pub account: String,
    pub carrier: String,
    pub tracking_number: String,
    /// `yyyy-MM-dd`
    pub epoch: String,
    pub version: i64,
    pub first_received_at: i64,
    pub received_at: i64,
    pub last_push_at: Option<i64>,
    pub status: String,
    pub sub_status: Option<String>,
    pub raw_code: Option<String>,
    pub leg: String,
    pub tracking_state: String,
    pub origin_code: Option<String>,
    pub origin: Option<String>,
    pub dest_code: Option<String>,
    pub dest: Option<String>,
    pub created_at: Option<i64>,
    pub picked_up_at: Option<i64>,
    pub left_origin_at: Option<i64>,
    pub arrived_dest_at: Option<i64>,
    pub out_for_delivery_at: Option<i64>,
    pub first_attempt_at: Option<i64>,
    pub available_at: Option<i64>,
    pub delivered_at: Option<i64>,
    pub returning_at: Option<i64>,
    pub returned_at: Option<i64>,
    pub cancelled_at: Option<i64>,
    pub last_event_at: Option<i64>,
    pub edd_first: Option<i64>,
    pub edd_last: Option<i64>,
    pub reference: Option<String>,
    pub dest_carrier: Option<String>,
    pub dest_number: Option<String>,
    pub corrected_to: Option<String>,
    pub attempts: u8,
    pub exception_codes: Vec<String>,
    pub exception_reasons: Vec<String>,
    pub flags: Vec<String>,
    pub event: Vec<EventRow>,
}

/// An element of the nested column `event` (rule 14.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "columns, documented with the table")]
pub struct EventRow {
    pub id: String,
    pub occurred_at: i64,
    pub local_time: String,
    pub status: String,
    pub sub_status: Option<String>,
    pub raw_code: Option<String>,
    pub segment: String,
    pub area_code: Option<String>,
    pub location: Option<String>,
    pub context: String,
    pub origin: String,
    pub area: Option<String>,
}

/// A row of `transition`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "columns, documented with the table")]
pub struct TransitionRow {
    pub carrier: String,
    pub tracking_number: String,
    pub vendor: String,
    /// `yyyy-MM-dd`
    pub epoch: String,
    pub occurred_at: i64,
    pub transition_id: String,
    pub version: i64,
    pub first_received_at: i64,
    pub received_at: i64,
    pub from_status: String,
    pub from_sub_status: Option<String>,
    pub to_status: String,
    pub to_sub_status: Option<String>,
    pub raw_code: Option<String>,
    pub leg: String,
    pub dwell_seconds: Option<i64>,
    pub verdict: String,
    pub is_exception: bool,
    pub party: Option<String>,
    pub area_code: Option<String>,
    pub location: Option<String>,
    pub origin: String,
}

/// A row of `shipment` that is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "columns, documented with the table")]
pub struct RetiredRow {
    pub vendor: String,
    pub carrier: String,
    pub tracking_number: String,
    /// `yyyy-MM-dd`
    pub epoch: String,
}

/// A record of a derived topic, as the row that it makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExpectedRecord {
    /// `courier.shipment.v1`
    Shipment(Box<ShipmentRow>),
    /// Rule 12.2: the row of an epoch without events that a record of `courier.shipment.v1` retires.
    Retired(RetiredRow),
    /// `courier.transition.v1`: its op, `OBSERVED` or `RETRACTED`, and its row.
    Transition(String, Box<TransitionRow>),
}

/// What the three tables show with FINAL, and the records behind two of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Sorted by the key of the table.
    pub push: Vec<PushRow>,
    /// Sorted by the key of the table.
    pub shipment: Vec<ShipmentRow>,
    /// Sorted by the key of the table; void ones are not in it.
    pub transition: Vec<TransitionRow>,
    /// In the order of derivation within a tracking number.
    pub records: Vec<ExpectedRecord>,
}

impl Expected {
    /// The tables that a log of pushes and derived records leaves behind: of rows with the same key the newest version
    /// stays (ReplacingMergeTree), and a void transition is gone.
    pub fn from_log(pushes: Vec<PushRow>, records: Vec<ExpectedRecord>) -> Self {
        let mut push = BTreeMap::new();
        for row in pushes {
            let key = (
                row.vendor.clone(),
                row.account.clone(),
                row.received_at,
                row.push_id.clone(),
                row.part,
            );
            push.insert(key, row);
        }
        let mut shipment: BTreeMap<_, ShipmentRow> = BTreeMap::new();
        let mut transition: BTreeMap<_, (bool, TransitionRow)> = BTreeMap::new();
        for record in &records {
            match record {
                ExpectedRecord::Shipment(row) => {
                    let key = (
                        row.carrier.clone(),
                        row.tracking_number.clone(),
                        row.vendor.clone(),
                        row.epoch.clone(),
                    );
                    if shipment.get(&key).is_none_or(|present| present.version <= row.version) {
                        shipment.insert(key, (**row).clone());
                    }
                }
                ExpectedRecord::Retired(row) => {
                    let RetiredRow {
                        vendor,
                        carrier,
                        tracking_number,
                        epoch,
                    } = row.clone();
                    shipment.remove(&(carrier, tracking_number, vendor, epoch));
                }
                ExpectedRecord::Transition(op, row) => {
                    let key = (
                        row.carrier.clone(),
                        row.tracking_number.clone(),
                        row.vendor.clone(),
                        row.epoch.clone(),
                        row.occurred_at,
                        row.transition_id.clone(),
                    );
                    if transition
                        .get(&key)
                        .is_none_or(|(_, present)| present.version <= row.version)
                    {
                        transition.insert(key, (op == Op::Retracted.as_str(), (**row).clone()));
                    }
                }
            }
        }
        Self {
            push: push.into_values().collect(),
            shipment: shipment.into_values().collect(),
            transition: transition
                .into_values()
                .filter_map(|(is_void, row)| (!is_void).then_some(row))
                .collect(),
            records,
        }
    }
}

impl Expected {
    pub(super) fn append(&mut self, other: Self) {
        self.push.extend(other.push);
        self.shipment.extend(other.shipment);
        self.transition.extend(other.transition);
        self.records.extend(other.records);
    }

    /// Tables by their keys; the records stay as they are.
    pub(super) fn sorted(mut self) -> Self {
        self.push.sort_by_cached_key(|row| {
            (
                row.vendor.clone(),
                row.account.clone(),
                row.received_at,
                row.push_id.clone(),
                row.part,
            )
        });
        self.shipment.sort_by_cached_key(|row| {
            (
                row.carrier.clone(),
                row.tracking_number.clone(),
                row.vendor.clone(),
                row.epoch.clone(),
            )
        });
        self.transition.sort_by_cached_key(|row| {
            let shipment = (
                row.carrier.clone(),
                row.tracking_number.clone(),
                row.vendor.clone(),
                row.epoch.clone(),
            );
            (shipment, row.occurred_at, row.transition_id.clone())
        });
        self
    }
}

/// The row that a record of `courier.shipment.v1` makes, for the comparison of records.
impl From<&Shipment> for ShipmentRow {
    fn from(record: &Shipment) -> Self {
        let milestones = &record.milestones;
        Self {
            vendor: record.vendor.to_string(),
            account: record.account.clone(),
            carrier: record.carrier.clone(),
            tracking_number: record.tracking_number.clone(),
            epoch: day(record.epoch.0),
            version: record.version,
            first_received_at: record.first_received_at.0,
            received_at: record.received_at.0,
            last_push_at: record.last_push_at.map(|time| time.0),
            status: record.status.to_string(),
            sub_status: record.sub_status.clone(),
            raw_code: record.raw_code.clone(),
            leg: record.leg.to_string(),
            tracking_state: record.tracking_state.to_string(),
            origin_code: record.origin_code.clone(),
            origin: record.origin.clone(),
            dest_code: record.dest_code.clone(),
            dest: record.dest.clone(),
            created_at: seconds(milestones.created_at),
            picked_up_at: seconds(milestones.picked_up_at),
            left_origin_at: seconds(milestones.left_origin_at),
            arrived_dest_at: seconds(milestones.arrived_dest_at),
            out_for_delivery_at: seconds(milestones.out_for_delivery_at),
            first_attempt_at: seconds(milestones.first_attempt_at),
            available_at: seconds(milestones.available_at),
            delivered_at: seconds(milestones.delivered_at),
            returning_at: seconds(milestones.returning_at),
            returned_at: seconds(milestones.returned_at),
            cancelled_at: seconds(milestones.cancelled_at),
            last_event_at: seconds(milestones.last_event_at),
            edd_first: seconds(record.edd_first),
            edd_last: seconds(record.edd_last),
            reference: record.reference.clone(),
            dest_carrier: record.dest_carrier.clone(),
            dest_number: record.dest_number.clone(),
            corrected_to: record.corrected_to.clone(),
            attempts: u8::try_from(record.attempts).unwrap_or(u8::MAX),
            exception_codes: record.exception_codes.clone(),
            exception_reasons: record.exception_reasons.clone(),
            flags: record.flags.clone(),
            event: record
                .events
                .iter()
                .map(|event| EventRow {
                    id: event.id.to_string(),
                    occurred_at: event.occurred_at.0 / 1000,
                    local_time: event.local_time.clone(),
                    status: event.status.to_string(),
                    sub_status: event.sub_status.clone(),
                    raw_code: event.raw_code.clone(),
                    segment: event.segment.to_string(),
                    area_code: event.area_code.clone(),
                    location: event.location.clone(),
                    context: event.context.clone(),
                    origin: event.origin.to_string(),
                    area: event.area.clone(),
                })
                .collect(),
        }
    }
}

/// The row that a record of `courier.transition.v1` makes, for the comparison of records.
impl From<&Transition> for TransitionRow {
    fn from(record: &Transition) -> Self {
        Self {
            carrier: record.carrier.clone(),
            tracking_number: record.tracking_number.clone(),
            vendor: record.vendor.to_string(),
            epoch: day(record.epoch.0),
            occurred_at: record.occurred_at.0 / 1000,
            transition_id: record.transition_id.to_string(),
            version: record.version,
            first_received_at: record.first_received_at.0,
            received_at: record.received_at.0,
            from_status: record.from_status.to_string(),
            from_sub_status: record.from_sub_status.clone(),
            to_status: record.to_status.to_string(),
            to_sub_status: record.to_sub_status.clone(),
            raw_code: record.raw_code.clone(),
            leg: record.leg.to_string(),
            dwell_seconds: record.dwell_seconds,
            verdict: record.verdict.to_string(),
            is_exception: record.is_exception,
            party: record.party.clone(),
            area_code: record.area_code.clone(),
            location: record.location.clone(),
            origin: record.origin.to_string(),
        }
    }
}

impl From<&Shipment> for ExpectedRecord {
    fn from(record: &Shipment) -> Self {
        Self::Shipment(Box::new(record.into()))
    }
}

impl From<&Transition> for ExpectedRecord {
    fn from(record: &Transition) -> Self {
        Self::Transition(record.op.to_string(), Box::new(record.into()))
    }
}

fn seconds(time: Option<TimestampMillis>) -> Option<i64> {
    time.map(|time| time.0 / 1000)
}

fn day(days: i32) -> String {
    super::time::utc_day(i64::from(days) * super::time::DAY)
}
