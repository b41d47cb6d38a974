//! From a record to its row: pure functions, one file per table. The columns are documented in `deploy/clickhouse/`.
//!
//! The order of a struct's fields is the order of the columns in the insert, and need not be that of the table.

mod annotation;
mod push;
mod route_node;
mod shipment;
mod subscription;
mod transition;
mod vendor_call;

use std::fmt::Write;

use clickhouse::RowOwned;
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{EpochDay, TimestampMicros, TimestampMillis};
use courierflow_schemas::registry::SchemaIds;
use courierflow_schemas::wire;
use serde::Serialize;

pub(crate) use annotation::Annotation;
pub(crate) use push::Push;
pub use shipment::{Shipment, ShipmentRow};
pub(crate) use subscription::Subscription;
pub(crate) use transition::Transition;
pub(crate) use vendor_call::VendorCall;

use crate::dead_letter::Coordinates;

/// What a worker needs to know about its table, and about the table of details if there is one: further rows that are made of the same
/// records, so that the topic is read once.
pub trait Table: Send + 'static {
    /// The type of record, which also determines the topic.
    type Record: wire::Record;
    /// A row, as the table's columns.
    type Row: RowOwned + Serialize + Send + Sync;
    /// A row of the table of details; `()` if there is none.
    type Detail: RowOwned + Serialize + Send + Sync;
    /// Name of the table.
    const NAME: &'static str;
    /// Name of the table of details.
    const DETAILS: Option<&'static str> = None;
    /// True if the topic has tombstones. They mean that a shipment or subscription is not followed any more; the table
    /// keeps the history.
    const HAS_TOMBSTONES: bool;

    /// The registry's id of the records' schema.
    fn schema_id(ids: &SchemaIds) -> u32;

    /// The row of a record. Depends on nothing else but the mapping of carriers: replaying a topic makes the same rows.
    fn row(record: Self::Record, found_at: &Coordinates<'_>, carriers: &Carriers)
    -> Result<Self::Row, Unrepresentable>;

    /// The row of a record with its details, which depend on nothing else either.
    fn row_with_details(
        record: Self::Record,
        found_at: &Coordinates<'_>,
        carriers: &Carriers,
    ) -> Result<(Self::Row, Details<Self::Detail>), Unrepresentable> {
        Ok((Self::row(record, found_at, carriers)?, Details::default()))
    }

    /// A row that deletes another row, which the record makes void. `None` also if that other row could not be
    /// represented.
    fn retired_row(_: &Self::Record) -> Option<Self::Row> {
        None
    }
}

/// The details of a record.
#[derive(Debug, PartialEq)]
pub struct Details<R> {
    /// The rows. They do not need to be there: what a record tells in vain is left out, and the record keeps its own row.
    pub rows: Vec<R>,
    /// How many could not be read.
    pub left_out: usize,
}

// Not derived: that would ask for `R: Default`.
impl<R> Default for Details<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            left_out: 0,
        }
    }
}

/// A value that a record may have but its column cannot represent: the column would show another value instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{column}: {value} does not fit")]
pub struct Unrepresentable {
    column: &'static str,
    value: i64,
}

impl Unrepresentable {
    /// Its stable name in metrics and dead letters.
    pub(crate) const CLASS: &'static str = "unrepresentable";
}

/// `DateTime`: seconds from 1970 to 2106.
fn seconds(column: &'static str, time: TimestampMillis) -> Result<u32, Unrepresentable> {
    // Rounds towards the past, so that -1 ms does not become 1970.
    u32::try_from(time.0.div_euclid(1_000)).map_err(|_| Unrepresentable { column, value: time.0 })
}

/// `Nullable(DateTime)`
fn seconds_if_known(column: &'static str, time: Option<TimestampMillis>) -> Result<Option<u32>, Unrepresentable> {
    time.map(|time| seconds(column, time)).transpose()
}

/// `DateTime64(6)`: microseconds in the years that it can represent, 1900 to 2299.
fn micros(column: &'static str, time: TimestampMicros) -> Result<i64, Unrepresentable> {
    const FIRST: i64 = -2_208_988_800_000_000;
    const END: i64 = 10_413_792_000_000_000;
    if (FIRST..END).contains(&time.0) {
        Ok(time.0)
    } else {
        Err(Unrepresentable { column, value: time.0 })
    }
}

/// `Nullable(DateTime64(6))`
fn micros_if_known(column: &'static str, time: Option<TimestampMicros>) -> Result<Option<i64>, Unrepresentable> {
    time.map(|time| micros(column, time)).transpose()
}

/// `DateTime64(3)`: milliseconds in the same years.
fn millis(column: &'static str, time: TimestampMillis) -> Result<i64, Unrepresentable> {
    let outside = Unrepresentable { column, value: time.0 };
    let in_micros = time.0.checked_mul(1_000).ok_or(outside)?;
    micros(column, TimestampMicros(in_micros)).map_or(Err(outside), |_| Ok(time.0))
}

/// `Nullable(DateTime64(3))`
fn millis_if_known(column: &'static str, time: Option<TimestampMillis>) -> Result<Option<i64>, Unrepresentable> {
    time.map(|time| millis(column, time)).transpose()
}

/// `Date`: days from 1970 to 2149.
fn date(column: &'static str, day: EpochDay) -> Result<u16, Unrepresentable> {
    u16::try_from(day.0).map_err(|_| Unrepresentable {
        column,
        value: day.0.into(),
    })
}

/// `UInt64` of a number that is never negative.
fn unsigned(column: &'static str, value: i64) -> Result<u64, Unrepresentable> {
    u64::try_from(value).map_err(|_| Unrepresentable { column, value })
}

/// `UInt32` of a number that is never negative.
fn count(column: &'static str, value: i32) -> Result<u32, Unrepresentable> {
    u32::try_from(value).map_err(|_| Unrepresentable {
        column,
        value: value.into(),
    })
}

/// An id as lower-case hex.
fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outside_of_their_column_are_refused() {
        assert_eq!(seconds("c", TimestampMillis(0)), Ok(0));
        assert_eq!(seconds("c", TimestampMillis(4_294_967_295_999)), Ok(u32::MAX));
        for outside in [-1, 4_294_967_296_000, i64::MAX, i64::MIN] {
            let refused = Unrepresentable {
                column: "c",
                value: outside,
            };
            assert_eq!(seconds("c", TimestampMillis(outside)), Err(refused));
        }
        assert_eq!(micros("c", TimestampMicros(-1)), Ok(-1));
        assert!(micros("c", TimestampMicros(i64::MAX)).is_err());
        assert_eq!(millis("c", TimestampMillis(-1)), Ok(-1));
        assert!(millis("c", TimestampMillis(i64::MAX)).is_err());
        assert!(millis("c", TimestampMillis(10_413_792_000_000)).is_err());
        assert!(count("c", -1).is_err());
        assert_eq!(date("c", EpochDay(65_535)), Ok(u16::MAX));
        assert!(date("c", EpochDay(65_536)).is_err());
        assert!(date("c", EpochDay(-1)).is_err());
        assert!(unsigned("c", -1).is_err());
    }
}
