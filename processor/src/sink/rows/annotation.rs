//! Rows of `annotation`: what people said of parcels.

use clickhouse::Row;
use courierflow_domain::mask;
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records;
use courierflow_schemas::registry::SchemaIds;
use serde::Serialize;

use super::{Table, Unrepresentable, date, micros, seconds_if_known};
use crate::dead_letter::Coordinates;

pub(crate) enum Annotation {}

#[derive(Clone, Debug, PartialEq, Row, Serialize)]
pub(crate) struct AnnotationRow {
    vendor: String,
    account: String,
    carrier: String,
    tracking_number: String,
    epoch: u16,
    annotated_at: i64,
    kind: &'static str,
    occurred_at: Option<u32>,
    reason: String,
    annotated_by: String,
    seen_status: String,
    seen_event_at: Option<u32>,
}

impl Table for Annotation {
    type Record = records::Annotation;
    type Row = AnnotationRow;
    type Detail = ();
    const NAME: &'static str = "annotation";
    const HAS_TOMBSTONES: bool = false;

    fn schema_id(ids: &SchemaIds) -> u32 {
        ids.annotation
    }

    fn row(said: records::Annotation, _: &Coordinates<'_>, _: &Carriers) -> Result<AnnotationRow, Unrepresentable> {
        Ok(AnnotationRow {
            epoch: date("epoch", said.epoch)?,
            annotated_at: micros("annotated_at", said.annotated_at)?,
            kind: said.kind.as_str(),
            occurred_at: seconds_if_known("occurred_at", said.occurred_at)?,
            // It is masked before it is sent; a record of another program may not be.
            reason: mask(&said.reason, Some(&said.tracking_number)).into_owned(),
            annotated_by: said.annotated_by,
            seen_status: said.seen_status,
            seen_event_at: seconds_if_known("seen_event_at", said.seen_event_at)?,
            vendor: said.vendor,
            account: said.account,
            carrier: said.carrier,
            tracking_number: said.tracking_number,
        })
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{AnnotationKind, EpochDay, TimestampMicros, TimestampMillis};

    use super::*;

    const ANYWHERE: Coordinates<'_> = Coordinates {
        topic: "courier.annotation.v1",
        partition: 0,
        offset: 0,
        timestamp: None,
    };

    fn record() -> records::Annotation {
        records::Annotation {
            vendor: "kuaidi100".to_owned(),
            account: "demo".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: "YT0001".to_owned(),
            epoch: EpochDay(20_000),
            kind: AnnotationKind::Delivered,
            occurred_at: Some(TimestampMillis(1_754_711_000_000)),
            reason: "the recipient has confirmed it".to_owned(),
            annotated_by: "li.wei".to_owned(),
            annotated_at: TimestampMicros(1_754_711_112_000_345),
            seen_status: "IN_TRANSIT".to_owned(),
            seen_event_at: Some(TimestampMillis(1_754_700_000_000)),
        }
    }

    fn row_of(record: records::Annotation) -> Result<AnnotationRow, Unrepresentable> {
        Annotation::row(record, &ANYWHERE, Carriers::built_in())
    }

    #[test]
    fn golden_row() {
        let expected = AnnotationRow {
            vendor: "kuaidi100".to_owned(),
            account: "demo".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: "YT0001".to_owned(),
            epoch: 20_000,
            annotated_at: 1_754_711_112_000_345,
            kind: "DELIVERED",
            occurred_at: Some(1_754_711_000),
            reason: "the recipient has confirmed it".to_owned(),
            annotated_by: "li.wei".to_owned(),
            seen_status: "IN_TRANSIT".to_owned(),
            seen_event_at: Some(1_754_700_000),
        };
        assert_eq!(row_of(record()), Ok(expected));
    }

    #[test]
    fn i8_a_telephone_number_in_the_reason_is_masked() {
        let record = records::Annotation {
            reason: "电话13812345678".to_owned(),
            ..record()
        };
        assert_eq!(row_of(record).unwrap().reason, "电话138******78");
    }

    #[test]
    fn what_no_column_can_hold_is_refused() {
        for record in [
            records::Annotation {
                epoch: EpochDay(-1),
                ..record()
            },
            records::Annotation {
                occurred_at: Some(TimestampMillis(-1)),
                ..record()
            },
        ] {
            assert!(row_of(record).is_err());
        }
    }
}
