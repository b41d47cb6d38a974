//! Rows of `shipment`: the whole state of a parcel, its events as parallel arrays.

use clickhouse::Row;
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{self, Identity, ShipmentEvent};
use courierflow_schemas::registry::SchemaIds;
use serde::Serialize;

use super::{Table, Unrepresentable, date, micros, micros_if_known, seconds, seconds_if_known, unsigned};
use crate::dead_letter::Coordinates;

/// The table `shipment`.
pub enum Shipment {}

/// One of its rows.
#[derive(Clone, Debug, PartialEq, Row, Serialize)]
pub struct ShipmentRow {
    vendor: &'static str,
    account: String,
    carrier: String,
    tracking_number: String,
    epoch: u16,
    version: u64,
    is_deleted: u8,
    first_received_at: i64,
    received_at: i64,
    last_push_at: Option<i64>,
    status: &'static str,
    sub_status: Option<String>,
    raw_code: Option<String>,
    leg: &'static str,
    tracking_state: &'static str,
    origin_code: Option<String>,
    origin: Option<String>,
    dest_code: Option<String>,
    dest: Option<String>,
    created_at: Option<u32>,
    picked_up_at: Option<u32>,
    left_origin_at: Option<u32>,
    arrived_dest_at: Option<u32>,
    out_for_delivery_at: Option<u32>,
    first_attempt_at: Option<u32>,
    available_at: Option<u32>,
    delivered_at: Option<u32>,
    returning_at: Option<u32>,
    returned_at: Option<u32>,
    cancelled_at: Option<u32>,
    last_event_at: Option<u32>,
    edd_first: Option<u32>,
    edd_last: Option<u32>,
    reference: Option<String>,
    dest_carrier: Option<String>,
    dest_number: Option<String>,
    corrected_to: Option<String>,
    attempts: u8,
    exception_codes: Vec<String>,
    exception_reasons: Vec<String>,
    flags: Vec<String>,
    #[serde(rename = "event.id")]
    event_id: Vec<u64>,
    #[serde(rename = "event.occurred_at")]
    event_occurred_at: Vec<u32>,
    #[serde(rename = "event.local_time")]
    event_local_time: Vec<String>,
    #[serde(rename = "event.status")]
    event_status: Vec<&'static str>,
    #[serde(rename = "event.sub_status")]
    event_sub_status: Vec<Option<String>>,
    #[serde(rename = "event.raw_code")]
    event_raw_code: Vec<Option<String>>,
    #[serde(rename = "event.segment")]
    event_segment: Vec<&'static str>,
    #[serde(rename = "event.area_code")]
    event_area_code: Vec<Option<String>>,
    #[serde(rename = "event.location")]
    event_location: Vec<Option<String>>,
    #[serde(rename = "event.context")]
    event_context: Vec<String>,
    #[serde(rename = "event.origin")]
    event_origin: Vec<&'static str>,
    #[serde(rename = "event.area")]
    event_area: Vec<Option<String>>,
}

impl Table for Shipment {
    type Record = records::Shipment;
    type Row = ShipmentRow;
    type Detail = ();
    const NAME: &'static str = "shipment";
    const HAS_TOMBSTONES: bool = true;

    fn schema_id(ids: &SchemaIds) -> u32 {
        ids.shipment
    }

    fn retired_row(record: &records::Shipment) -> Option<ShipmentRow> {
        let retired = Self::retired(record)?;
        // An epoch that does not fit its column never had a row; the record's own row must not be lost for it.
        let row = ShipmentRow::of(retired).ok()?;
        Some(ShipmentRow { is_deleted: 1, ..row })
    }

    fn row(shipment: records::Shipment, _: &Coordinates<'_>, _: &Carriers) -> Result<ShipmentRow, Unrepresentable> {
        ShipmentRow::of(shipment)
    }
}

impl Shipment {
    /// The provisional epoch that a record replaces (rule 12.2). `first_received_at` is what the row had, which puts
    /// both into one partition of the table.
    fn retired(record: &records::Shipment) -> Option<records::Shipment> {
        let identity = Identity {
            vendor: record.vendor,
            carrier: record.carrier.clone(),
            tracking_number: record.tracking_number.clone(),
            epoch: record.retired_epoch?,
        };
        Some(records::Shipment {
            account: record.account.clone(),
            version: record.version,
            first_received_at: record.first_received_at,
            received_at: record.received_at,
            ..records::Shipment::bare(identity)
        })
    }
}

impl ShipmentRow {
    fn of(shipment: records::Shipment) -> Result<Self, Unrepresentable> {
        let milestones = shipment.milestones;
        let events = shipment.events.len();
        let mut row = Self {
            vendor: shipment.vendor.as_str(),
            account: shipment.account,
            carrier: shipment.carrier,
            tracking_number: shipment.tracking_number,
            epoch: date("epoch", shipment.epoch)?,
            version: unsigned("version", shipment.version)?,
            is_deleted: 0,
            first_received_at: micros("first_received_at", shipment.first_received_at)?,
            received_at: micros("received_at", shipment.received_at)?,
            last_push_at: micros_if_known("last_push_at", shipment.last_push_at)?,
            status: shipment.status.as_str(),
            sub_status: shipment.sub_status,
            raw_code: shipment.raw_code,
            leg: shipment.leg.as_str(),
            tracking_state: shipment.tracking_state.as_str(),
            origin_code: shipment.origin_code,
            origin: shipment.origin,
            dest_code: shipment.dest_code,
            dest: shipment.dest,
            created_at: seconds_if_known("created_at", milestones.created_at)?,
            picked_up_at: seconds_if_known("picked_up_at", milestones.picked_up_at)?,
            left_origin_at: seconds_if_known("left_origin_at", milestones.left_origin_at)?,
            arrived_dest_at: seconds_if_known("arrived_dest_at", milestones.arrived_dest_at)?,
            out_for_delivery_at: seconds_if_known("out_for_delivery_at", milestones.out_for_delivery_at)?,
            first_attempt_at: seconds_if_known("first_attempt_at", milestones.first_attempt_at)?,
            available_at: seconds_if_known("available_at", milestones.available_at)?,
            delivered_at: seconds_if_known("delivered_at", milestones.delivered_at)?,
            returning_at: seconds_if_known("returning_at", milestones.returning_at)?,
            returned_at: seconds_if_known("returned_at", milestones.returned_at)?,
            cancelled_at: seconds_if_known("cancelled_at", milestones.cancelled_at)?,
            last_event_at: seconds_if_known("last_event_at", milestones.last_event_at)?,
            edd_first: seconds_if_known("edd_first", shipment.edd_first)?,
            edd_last: seconds_if_known("edd_last", shipment.edd_last)?,
            reference: shipment.reference,
            dest_carrier: shipment.dest_carrier,
            dest_number: shipment.dest_number,
            corrected_to: shipment.corrected_to,
            attempts: u8::try_from(shipment.attempts).unwrap_or(u8::MAX),
            exception_codes: shipment.exception_codes,
            exception_reasons: shipment.exception_reasons,
            flags: shipment.flags,
            event_id: Vec::with_capacity(events),
            event_occurred_at: Vec::with_capacity(events),
            event_local_time: Vec::with_capacity(events),
            event_status: Vec::with_capacity(events),
            event_sub_status: Vec::with_capacity(events),
            event_raw_code: Vec::with_capacity(events),
            event_segment: Vec::with_capacity(events),
            event_area_code: Vec::with_capacity(events),
            event_location: Vec::with_capacity(events),
            event_context: Vec::with_capacity(events),
            event_origin: Vec::with_capacity(events),
            event_area: Vec::with_capacity(events),
        };
        for event in shipment.events {
            row.push_event(event)?;
        }
        Ok(row)
    }

    /// One element on each of the arrays, which must stay of equal length.
    fn push_event(&mut self, event: ShipmentEvent) -> Result<(), Unrepresentable> {
        let id = unsigned("event.id", event.id)?;
        let occurred_at = seconds("event.occurred_at", event.occurred_at)?;
        self.event_id.push(id);
        self.event_occurred_at.push(occurred_at);
        self.event_local_time.push(event.local_time);
        self.event_status.push(event.status.as_str());
        self.event_sub_status.push(event.sub_status);
        self.event_raw_code.push(event.raw_code);
        self.event_segment.push(event.segment.as_str());
        self.event_area_code.push(event.area_code);
        self.event_location.push(event.location);
        self.event_context.push(event.context);
        self.event_origin.push(event.origin.as_str());
        self.event_area.push(event.area);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{
        EpochDay, Identity, Leg, Milestones, Origin, RecentPush, Segment, Status, TimestampMicros, TimestampMillis,
        TrackingState, Vendor,
    };

    use super::*;

    const ANYWHERE: Coordinates<'_> = Coordinates {
        topic: "courier.shipment.v1",
        partition: 0,
        offset: 0,
        timestamp: None,
    };

    fn millis(seconds: i64) -> TimestampMillis {
        TimestampMillis(seconds * 1_000)
    }

    #[test]
    fn rule_12_2_the_row_of_a_retired_epoch_is_deleted_where_it_was_written() {
        assert_eq!(Shipment::retired_row(&bare_record()), None);
        let record = records::Shipment {
            epoch: EpochDay(20_300),
            retired_epoch: Some(EpochDay(20_309)),
            ..bare_record()
        };
        let retired = Shipment::retired_row(&record).unwrap();
        let expected = ShipmentRow {
            epoch: 20_309,
            is_deleted: 1,
            status: "UNKNOWN",
            tracking_state: "ACTIVE",
            ..bare_row()
        };
        assert_eq!(retired, expected);
    }

    #[test]
    fn a_retired_epoch_that_had_no_row_is_deleted_nowhere() {
        let record = records::Shipment {
            retired_epoch: Some(EpochDay(-1)),
            ..bare_record()
        };
        assert_eq!(Shipment::retired_row(&record), None);
    }

    /// A shipment of which only the number is known, as an abort of an unknown parcel makes it.
    fn bare_record() -> records::Shipment {
        records::Shipment {
            account: "demo".to_owned(),
            version: 1_754_711_112_000_345,
            first_received_at: TimestampMicros(1_754_711_112_000_345),
            received_at: TimestampMicros(1_754_711_112_000_345),
            tracking_state: TrackingState::AbortedNoRecord,
            ..records::Shipment::bare(Identity::of(Vendor::Kuaidi100, "yto", "YT0001"))
        }
    }

    fn bare_row() -> ShipmentRow {
        ShipmentRow {
            vendor: "kuaidi100",
            account: "demo".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: "YT0001".to_owned(),
            epoch: 0,
            version: 1_754_711_112_000_345,
            is_deleted: 0,
            first_received_at: 1_754_711_112_000_345,
            received_at: 1_754_711_112_000_345,
            last_push_at: None,
            status: "UNKNOWN",
            sub_status: None,
            raw_code: None,
            leg: "FORWARD",
            tracking_state: "ABORTED_NO_RECORD",
            origin_code: None,
            origin: None,
            dest_code: None,
            dest: None,
            created_at: None,
            picked_up_at: None,
            left_origin_at: None,
            arrived_dest_at: None,
            out_for_delivery_at: None,
            first_attempt_at: None,
            available_at: None,
            delivered_at: None,
            returning_at: None,
            returned_at: None,
            cancelled_at: None,
            last_event_at: None,
            edd_first: None,
            edd_last: None,
            reference: None,
            dest_carrier: None,
            dest_number: None,
            corrected_to: None,
            attempts: 0,
            exception_codes: vec![],
            exception_reasons: vec![],
            flags: vec![],
            event_id: vec![],
            event_occurred_at: vec![],
            event_local_time: vec![],
            event_status: vec![],
            event_sub_status: vec![],
            event_raw_code: vec![],
            event_segment: vec![],
            event_area_code: vec![],
            event_location: vec![],
            event_context: vec![],
            event_origin: vec![],
            event_area: vec![],
        }
    }

    #[test]
    fn what_is_unknown_is_null() {
        assert_eq!(
            Shipment::row(bare_record(), &ANYWHERE, Carriers::built_in()),
            Ok(bare_row())
        );
    }

    /// Every value differs from its neighbours, so that swapped columns are noticed.
    fn full_record() -> records::Shipment {
        records::Shipment {
            account: "open".to_owned(),
            epoch: EpochDay(20_309),
            version: 1_754_800_000_000_001,
            first_received_at: TimestampMicros(1_754_700_000_000_002),
            received_at: TimestampMicros(1_754_800_000_000_000),
            push_time: Some(millis(1)),
            last_push_at: Some(TimestampMicros(1_754_790_000_000_003)),
            status: Status::Delivered,
            sub_status: Some("RECIPIENT".to_owned()),
            raw_code: Some("301".to_owned()),
            leg: Leg::Return,
            tracking_state: TrackingState::Ended,
            origin_code: Some("CN310000000000".to_owned()),
            origin: Some("上海".to_owned()),
            dest_code: Some("CN440300000000".to_owned()),
            dest: Some("广东,深圳市".to_owned()),
            milestones: Milestones {
                created_at: Some(millis(11)),
                picked_up_at: Some(millis(12)),
                left_origin_at: Some(millis(13)),
                arrived_dest_at: Some(millis(14)),
                out_for_delivery_at: Some(millis(15)),
                first_attempt_at: Some(millis(16)),
                available_at: Some(millis(17)),
                delivered_at: Some(millis(18)),
                returning_at: Some(millis(19)),
                returned_at: Some(millis(20)),
                cancelled_at: Some(millis(21)),
                last_event_at: Some(millis(22)),
            },
            attempts: 300,
            exception_codes: vec!["203".to_owned()],
            exception_reasons: vec!["REFUSED".to_owned()],
            edd_first: Some(millis(23)),
            edd_last: Some(millis(24)),
            reference: Some("SO-17".to_owned()),
            dest_carrier: Some("usps".to_owned()),
            dest_number: Some("9400".to_owned()),
            corrected_to: Some("sf".to_owned()),
            flags: vec!["bad_time".to_owned(), "tz_assumed".to_owned()],
            route_origin_code: Some("state of derive".to_owned()),
            events: vec![
                ShipmentEvent {
                    id: 1,
                    segment: Segment::Origin,
                    occurred_at: millis(31),
                    local_time: "2025-08-09 10:00:00".to_owned(),
                    status: Status::PickedUp,
                    sub_status: Some("PICKED_UP".to_owned()),
                    leg: Leg::Forward,
                    raw_code: Some("1".to_owned()),
                    is_exception: false,
                    return_signed: false,
                    future: false,
                    area_code: Some("CN310000000000".to_owned()),
                    location: Some("上海".to_owned()),
                    context: "已揽收".to_owned(),
                    origin: Origin::Push,
                    area: Some("上海,上海,浦东新区".to_owned()),
                },
                ShipmentEvent {
                    id: i64::MAX,
                    segment: Segment::Destination,
                    occurred_at: millis(32),
                    local_time: "2025-08-10 11:00:00".to_owned(),
                    status: Status::Unknown,
                    sub_status: None,
                    leg: Leg::Forward,
                    raw_code: None,
                    is_exception: true,
                    return_signed: true,
                    future: true,
                    area_code: None,
                    location: None,
                    context: String::new(),
                    origin: Origin::Query,
                    area: None,
                },
            ],
            recent_pushes: vec![RecentPush {
                content_hash: 1,
                received_at: TimestampMicros(2),
            }],
            ..bare_record()
        }
    }

    fn full_row() -> ShipmentRow {
        ShipmentRow {
            account: "open".to_owned(),
            epoch: 20_309,
            version: 1_754_800_000_000_001,
            first_received_at: 1_754_700_000_000_002,
            received_at: 1_754_800_000_000_000,
            last_push_at: Some(1_754_790_000_000_003),
            status: "DELIVERED",
            sub_status: Some("RECIPIENT".to_owned()),
            raw_code: Some("301".to_owned()),
            leg: "RETURN",
            tracking_state: "ENDED",
            origin_code: Some("CN310000000000".to_owned()),
            origin: Some("上海".to_owned()),
            dest_code: Some("CN440300000000".to_owned()),
            dest: Some("广东,深圳市".to_owned()),
            created_at: Some(11),
            picked_up_at: Some(12),
            left_origin_at: Some(13),
            arrived_dest_at: Some(14),
            out_for_delivery_at: Some(15),
            first_attempt_at: Some(16),
            available_at: Some(17),
            delivered_at: Some(18),
            returning_at: Some(19),
            returned_at: Some(20),
            cancelled_at: Some(21),
            last_event_at: Some(22),
            edd_first: Some(23),
            edd_last: Some(24),
            reference: Some("SO-17".to_owned()),
            dest_carrier: Some("usps".to_owned()),
            dest_number: Some("9400".to_owned()),
            corrected_to: Some("sf".to_owned()),
            attempts: 255,
            exception_codes: vec!["203".to_owned()],
            exception_reasons: vec!["REFUSED".to_owned()],
            flags: vec!["bad_time".to_owned(), "tz_assumed".to_owned()],
            event_id: vec![1, 9_223_372_036_854_775_807],
            event_occurred_at: vec![31, 32],
            event_local_time: vec!["2025-08-09 10:00:00".to_owned(), "2025-08-10 11:00:00".to_owned()],
            event_status: vec!["PICKED_UP", "UNKNOWN"],
            event_sub_status: vec![Some("PICKED_UP".to_owned()), None],
            event_raw_code: vec![Some("1".to_owned()), None],
            event_segment: vec!["ORIGIN", "DESTINATION"],
            event_area_code: vec![Some("CN310000000000".to_owned()), None],
            event_location: vec![Some("上海".to_owned()), None],
            event_context: vec!["已揽收".to_owned(), String::new()],
            event_origin: vec!["PUSH", "QUERY"],
            event_area: vec![Some("上海,上海,浦东新区".to_owned()), None],
            ..bare_row()
        }
    }

    #[test]
    fn golden_row() {
        assert_eq!(
            Shipment::row(full_record(), &ANYWHERE, Carriers::built_in()),
            Ok(full_row())
        );
    }

    #[test]
    fn a_time_that_no_column_can_hold_is_refused() {
        let mut record = bare_record();
        record.milestones.delivered_at = Some(TimestampMillis(-1));
        let refused = Unrepresentable {
            column: "delivered_at",
            value: -1,
        };
        assert_eq!(Shipment::row(record, &ANYWHERE, Carriers::built_in()), Err(refused));
    }
}
