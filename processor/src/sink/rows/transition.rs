//! Rows of `transition`: changes of state. Void ones are marked as deleted.

use clickhouse::Row;
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{self, Op};
use courierflow_schemas::registry::SchemaIds;
use serde::Serialize;

use super::{Table, Unrepresentable, date, micros, seconds, unsigned};
use crate::dead_letter::Coordinates;

pub(crate) enum Transition {}

#[derive(Clone, Debug, PartialEq, Row, Serialize)]
pub(crate) struct TransitionRow {
    vendor: &'static str,
    account: String,
    carrier: String,
    tracking_number: String,
    epoch: u16,
    transition_id: u64,
    version: u64,
    is_deleted: u8,
    first_received_at: i64,
    received_at: i64,
    occurred_at: u32,
    from_status: &'static str,
    from_sub_status: Option<String>,
    to_status: &'static str,
    to_sub_status: Option<String>,
    raw_code: Option<String>,
    leg: &'static str,
    dwell_seconds: Option<u32>,
    verdict: &'static str,
    is_exception: bool,
    party: Option<String>,
    area_code: Option<String>,
    location: Option<String>,
    origin: &'static str,
}

impl Table for Transition {
    type Record = records::Transition;
    type Row = TransitionRow;
    type Detail = ();
    const NAME: &'static str = "transition";
    const HAS_TOMBSTONES: bool = false;

    fn schema_id(ids: &SchemaIds) -> u32 {
        ids.transition
    }

    fn row(
        transition: records::Transition,
        _: &Coordinates<'_>,
        _: &Carriers,
    ) -> Result<TransitionRow, Unrepresentable> {
        Ok(TransitionRow {
            vendor: transition.vendor.as_str(),
            account: transition.account,
            carrier: transition.carrier,
            tracking_number: transition.tracking_number,
            epoch: date("epoch", transition.epoch)?,
            transition_id: unsigned("transition_id", transition.transition_id)?,
            version: unsigned("version", transition.version)?,
            is_deleted: match transition.op {
                Op::Observed => 0,
                // What this program cannot understand it does not count.
                Op::Retracted | Op::Other => 1,
            },
            first_received_at: micros("first_received_at", transition.first_received_at)?,
            received_at: micros("received_at", transition.received_at)?,
            occurred_at: seconds("occurred_at", transition.occurred_at)?,
            from_status: transition.from_status.as_str(),
            from_sub_status: transition.from_sub_status,
            to_status: transition.to_status.as_str(),
            to_sub_status: transition.to_sub_status,
            raw_code: transition.raw_code,
            leg: transition.leg.as_str(),
            dwell_seconds: transition.dwell_seconds.map(dwell).transpose()?,
            verdict: transition.verdict.as_str(),
            is_exception: transition.is_exception,
            party: transition.party,
            area_code: transition.area_code,
            location: transition.location,
            origin: transition.origin.as_str(),
        })
    }
}

fn dwell(seconds: i64) -> Result<u32, Unrepresentable> {
    u32::try_from(seconds).map_err(|_| Unrepresentable {
        column: "dwell_seconds",
        value: seconds,
    })
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{
        EpochDay, Leg, Origin, Status, TimestampMicros, TimestampMillis, Vendor, Verdict,
    };

    use super::*;

    fn record() -> records::Transition {
        records::Transition {
            transition_id: i64::MAX,
            op: Op::Observed,
            version: 1_754_711_112_000_345,
            vendor: Vendor::Kuaidi100,
            account: "demo".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: "YT0001".to_owned(),
            epoch: EpochDay(20_309),
            first_received_at: TimestampMicros(1_754_700_000_000_001),
            received_at: TimestampMicros(1_754_711_112_000_345),
            from_status: Status::OutForDelivery,
            from_sub_status: Some("OUT_FOR_DELIVERY".to_owned()),
            to_status: Status::Exception,
            to_sub_status: Some("REFUSED".to_owned()),
            raw_code: Some("203".to_owned()),
            leg: Leg::Forward,
            occurred_at: TimestampMillis(1_754_710_000_000),
            dwell_seconds: Some(3_600),
            verdict: Verdict::Expected,
            is_exception: true,
            party: Some("consignee".to_owned()),
            area_code: Some("CN440300000000".to_owned()),
            location: Some("广东,深圳市".to_owned()),
            origin: Origin::Query,
        }
    }

    fn row() -> TransitionRow {
        TransitionRow {
            vendor: "kuaidi100",
            account: "demo".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: "YT0001".to_owned(),
            epoch: 20_309,
            transition_id: 9_223_372_036_854_775_807,
            version: 1_754_711_112_000_345,
            is_deleted: 0,
            first_received_at: 1_754_700_000_000_001,
            received_at: 1_754_711_112_000_345,
            occurred_at: 1_754_710_000,
            from_status: "OUT_FOR_DELIVERY",
            from_sub_status: Some("OUT_FOR_DELIVERY".to_owned()),
            to_status: "EXCEPTION",
            to_sub_status: Some("REFUSED".to_owned()),
            raw_code: Some("203".to_owned()),
            leg: "FORWARD",
            dwell_seconds: Some(3_600),
            verdict: "EXPECTED",
            is_exception: true,
            party: Some("consignee".to_owned()),
            area_code: Some("CN440300000000".to_owned()),
            location: Some("广东,深圳市".to_owned()),
            origin: "QUERY",
        }
    }

    const ANYWHERE: Coordinates<'_> = Coordinates {
        topic: "courier.transition.v1",
        partition: 0,
        offset: 0,
        timestamp: None,
    };

    #[test]
    fn golden_row() {
        assert_eq!(Transition::row(record(), &ANYWHERE, Carriers::built_in()), Ok(row()));
    }

    #[test]
    fn a_retraction_is_a_deleted_row_of_the_same_key() {
        let retracted = records::Transition {
            op: Op::Retracted,
            ..record()
        };
        let deleted = TransitionRow { is_deleted: 1, ..row() };
        assert_eq!(Transition::row(retracted, &ANYWHERE, Carriers::built_in()), Ok(deleted));
    }

    #[test]
    fn unknown_stays_unknown() {
        let first = records::Transition {
            from_status: Status::Unknown,
            from_sub_status: None,
            dwell_seconds: None,
            party: None,
            area_code: None,
            location: None,
            ..record()
        };
        let expected = TransitionRow {
            from_status: "UNKNOWN",
            from_sub_status: None,
            dwell_seconds: None,
            party: None,
            area_code: None,
            location: None,
            ..row()
        };
        assert_eq!(Transition::row(first, &ANYWHERE, Carriers::built_in()), Ok(expected));
    }

    #[test]
    fn a_dwell_that_no_column_can_hold_is_refused() {
        let record = records::Transition {
            dwell_seconds: Some(-1),
            ..record()
        };
        assert!(Transition::row(record, &ANYWHERE, Carriers::built_in()).is_err());
    }
}
