//! The parcel that is meant, from the tables: what its vendor says of it, and what somebody has said of it before.

use std::fmt;

use clickhouse::Row;
use clickhouse::error::Error as ClientError;
use courierflow_schemas::identifier;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::config::ClickHouseSettings;
use crate::sink::client::client;

/// An empty text and a negative day stand for all.
const PARCELS: &str = "
    SELECT toString(told.vendor) AS vendor, toString(told.account) AS account, toString(told.carrier) AS carrier, told.tracking_number,
        toUInt16(told.epoch) AS epoch, toString(told.status) AS status, toString(told.tracking_state) AS tracking_state,
        toInt64(told.picked_up_at) AS picked_up_at, toInt64(told.last_event_at) AS last_event_at,
        toString(said.kind) AS kind, toInt64(said.occurred_at) AS occurred_at, said.reason AS reason, said.annotated_by AS annotated_by,
        toUnixTimestamp64Micro(said.annotated_at) AS annotated_at
    FROM (SELECT * FROM shipment FINAL WHERE tracking_number = {number:String}) AS told
    LEFT JOIN (SELECT * FROM annotation_now WHERE tracking_number = {number:String}) AS said
        ON said.vendor = told.vendor AND said.carrier = told.carrier AND said.epoch = told.epoch
    WHERE ({vendor:String} = '' OR told.vendor = {vendor:String}) AND ({account:String} = '' OR told.account = {account:String})
        AND ({carrier:String} = '' OR told.carrier = {carrier:String}) AND ({epoch:Int32} < 0 OR toUInt16(told.epoch) = {epoch:Int32})
    ORDER BY vendor, account, carrier, epoch DESC
    LIMIT 100
    SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0";

/// Which parcel somebody means. What is not given does not matter, as long as one parcel is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// The carrier's number of it.
    pub number: String,
    /// Code of the vendor.
    pub vendor: Option<String>,
    /// Vendor contract.
    pub account: Option<String>,
    /// Canonical carrier code.
    pub carrier: Option<String>,
    /// Life of the number; the newest if missing.
    pub epoch: Option<Date>,
}

/// What the tables say of a parcel. Times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Code of the vendor.
    pub vendor: String,
    /// Vendor contract.
    pub account: String,
    /// Canonical carrier code.
    pub carrier: String,
    /// The carrier's number of it.
    pub tracking_number: String,
    /// Life of the number, in days since 1970.
    pub epoch: u16,
    /// By the vendor's word alone.
    pub status: String,
    /// What the vendor does with its subscription.
    pub tracking_state: String,
    /// The pickup, if there was one.
    pub picked_up_at: Option<i64>,
    /// The vendor's newest event, if there is one.
    pub last_event_at: Option<i64>,
    /// The correction that holds.
    pub standing: Option<Standing>,
}

/// A correction that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What was said.
    pub kind: String,
    /// When it happened, in seconds since 1970.
    pub occurred_at: Option<i64>,
    /// Why.
    pub reason: String,
    /// Who said it.
    pub by: String,
    /// When it was said, in microseconds since 1970.
    pub annotated_at: i64,
}

impl Parcel {
    /// The vendor goes on with it under another carrier, which has a row of its own.
    pub fn is_moved(&self) -> bool {
        self.tracking_state == "CARRIER_CORRECTED"
    }

    /// The life of the number.
    pub fn day(&self) -> Date {
        day(self.epoch)
    }

    fn is_same_number(&self, other: &Self) -> bool {
        (&self.vendor, &self.account, &self.carrier) == (&other.vendor, &other.account, &other.carrier)
    }
}

impl fmt::Display for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{} {} {} (life of {})",
            self.vendor,
            self.account,
            self.carrier,
            self.tracking_number,
            self.day()
        )
    }
}

/// The day of an epoch.
fn day(epoch: u16) -> Date {
    let midnight = Timestamp::from_second(i64::from(epoch) * 86_400).unwrap_or_default();
    midnight.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The number of the day of an epoch; none before 1970.
fn epoch_of(day: Date) -> Option<i32> {
    let seconds = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    i32::try_from(seconds.div_euclid(86_400)).ok().filter(|days| *days >= 0)
}

/// Why it is not known which parcel is meant.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// There is none.
    #[error("the tables have no parcel {0}; what was pushed in the last seconds may not be there yet")]
    None(String),
    /// There are several.
    #[error("{number} may mean several parcels: say which by vendor, account or carrier: {}", candidates.join("; "))]
    Several {
        /// The number that was asked for.
        number: String,
        /// What it may mean.
        candidates: Vec<String>,
    },
    /// `ClickHouse` does not answer, or not as expected.
    #[error("ClickHouse {url}")]
    Server {
        /// Its address.
        url: String,
        /// What the client says.
        source: ClientError,
    },
}

#[derive(Row, Deserialize)]
struct Found {
    vendor: String,
    account: String,
    carrier: String,
    tracking_number: String,
    epoch: u16,
    status: String,
    tracking_state: String,
    picked_up_at: Option<i64>,
    last_event_at: Option<i64>,
    kind: String,
    occurred_at: i64,
    reason: String,
    annotated_by: String,
    annotated_at: i64,
}

impl From<Found> for Parcel {
    fn from(found: Found) -> Self {
        let standing = (!found.kind.is_empty()).then_some(Standing {
            kind: found.kind,
            occurred_at: Some(found.occurred_at),
            reason: found.reason,
            by: found.annotated_by,
            annotated_at: found.annotated_at,
        });
        Self {
            vendor: found.vendor,
            account: found.account,
            carrier: found.carrier,
            tracking_number: found.tracking_number,
            epoch: found.epoch,
            status: found.status,
            tracking_state: found.tracking_state,
            picked_up_at: found.picked_up_at,
            last_event_at: found.last_event_at,
            standing,
        }
    }
}

/// Finds the parcel that is meant.
pub async fn find(settings: &ClickHouseSettings, which: &Which) -> Result<Parcel, LookupError> {
    let number = identifier::normalised(&which.number).to_ascii_uppercase();
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let epoch = match which.epoch {
        None => -1,
        Some(day) => epoch_of(day).ok_or_else(|| LookupError::None(format!("{number} of {day}")))?,
    };
    let query = client(settings)
        .with_database(&settings.database)
        .query_raw(PARCELS)
        .param("number", &number)
        .param("vendor", given(&which.vendor))
        .param("account", given(&which.account))
        .param("carrier", given(&which.carrier))
        .param("epoch", epoch);
    let found: Vec<Found> = query.fetch_all().await.map_err(|source| LookupError::Server {
        url: settings.url.clone(),
        source,
    })?;
    the_one(&number, found.into_iter().map(Parcel::from).collect())
}

/// The one parcel that is meant, of rows whose newer lives come first.
fn the_one(number: &str, parcels: Vec<Parcel>) -> Result<Parcel, LookupError> {
    // Where a parcel was moved to is what is meant, if both are here.
    let any_stayed = parcels.iter().any(|parcel| !parcel.is_moved());
    let mut candidates: Vec<Parcel> = Vec::new();
    for parcel in parcels {
        if any_stayed && parcel.is_moved() || candidates.iter().any(|newer| newer.is_same_number(&parcel)) {
            continue;
        }
        candidates.push(parcel);
    }
    match candidates.len() {
        0 => Err(LookupError::None(number.to_owned())),
        1 => Ok(candidates.remove(0)),
        _ => Err(LookupError::Several {
            number: number.to_owned(),
            candidates: candidates.iter().map(Parcel::to_string).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(vendor: &str, carrier: &str, epoch: u16, tracking_state: &str) -> Parcel {
        Parcel {
            vendor: vendor.to_owned(),
            account: "demo".to_owned(),
            carrier: carrier.to_owned(),
            tracking_number: "N1".to_owned(),
            epoch,
            status: "IN_TRANSIT".to_owned(),
            tracking_state: tracking_state.to_owned(),
            picked_up_at: None,
            last_event_at: None,
            standing: None,
        }
    }

    #[test]
    fn the_newest_life_of_the_only_parcel_is_meant() {
        let active = |vendor, carrier, epoch| parcel(vendor, carrier, epoch, "ACTIVE");
        let moved = |carrier| parcel("kuaidi100", carrier, 20_700, "CARRIER_CORRECTED");
        for (name, rows, expected) in [
            ("one", vec![active("kuaidi100", "sf", 20_700)], Ok(("sf", 20_700))),
            (
                "two lives",
                vec![active("kuaidi100", "sf", 20_700), active("kuaidi100", "sf", 20_000)],
                Ok(("sf", 20_700)),
            ),
            (
                "moved",
                vec![moved("sf"), active("kuaidi100", "zto", 20_700)],
                Ok(("zto", 20_700)),
            ),
            ("moved away", vec![moved("sf")], Ok(("sf", 20_700))),
            ("none", vec![], Err("no parcel N1")),
            (
                "two vendors",
                vec![active("kdniao", "sf", 20_700), active("kuaidi100", "sf", 20_700)],
                Err("kdniao/demo sf N1 (life of 2026-09-04); kuaidi100/demo sf N1 (life of 2026-09-04)"),
            ),
            (
                "two carriers",
                vec![active("kuaidi100", "sf", 20_700), active("kuaidi100", "zto", 20_700)],
                Err("by vendor, account or carrier"),
            ),
        ] {
            match (the_one("N1", rows), expected) {
                (Ok(found), Ok(expected)) => assert_eq!((found.carrier.as_str(), found.epoch), expected, "{name}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{name}: {error}"),
                (found, expected) => panic!("{name}: {found:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn a_day_is_the_number_of_an_epoch() {
        assert_eq!(day(20_700).to_string(), "2026-09-04");
        assert_eq!(epoch_of(day(20_700)), Some(20_700));
        assert_eq!(epoch_of(Date::constant(1969, 12, 31)), None);
    }
}
