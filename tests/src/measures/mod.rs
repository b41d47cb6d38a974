//! The figures of the metric views, recomputed from rows of `shipment` one parcel after the other: an independent reading of
//! the definitions, for the tests. It shares no code with the SQL and takes no short cuts: each figure is counted anew
//! over all parcels.
//!
//! Times are seconds since 1970, UTC.

mod acting;
mod cohort;
mod exceptions;
mod figure;
mod insert;
mod parcel;
mod quality;
mod working;
mod workload;

pub use acting::{open_exceptions, stalled_shipments, timeline};
pub use cohort::{carrier_daily, carrier_scorecard, carrier_trend, lane_transit, transit_distribution};
pub use exceptions::{exception_daily, exception_rate, exception_trend};
pub use figure::{Figure, Row, Rows, difference};
pub use insert::{insert_pushes, insert_shipments, insert_transitions};
pub use parcel::{Clock, Measured, Promise, Term, Terms, measure};
pub use quality::data_quality;
pub use working::Calendar;
pub use workload::{pushes_of, shipment_at, shipments, transitions_of};

/// The tables that are refreshed by a view called `…_refresh`, each after what it depends on.
pub const REFRESHED: [&str; 8] = [
    "carrier_daily_recent",
    "carrier_daily_older",
    "exception_daily_recent",
    "exception_daily_older",
    "open_parcel",
    "data_quality",
    "unknown_wording",
    "performance_change",
];

/// What a reader asks the views for. An empty text means all.
#[derive(Clone, Debug)]
pub struct Question {
    /// First pickup day, `yyyy-MM-dd`.
    pub from_date: String,
    /// Last pickup day.
    pub to_date: String,
    /// Name of the vendor.
    pub vendor: String,
    /// Province or city.
    pub origin: String,
    /// Province or city.
    pub dest: String,
}

impl Question {
    /// True if the parcel belongs to what is asked.
    fn covers(&self, parcel: &Measured<'_>) -> bool {
        parcel
            .cohort
            .as_ref()
            .is_some_and(|cohort| (self.from_date.as_str()..=self.to_date.as_str()).contains(&cohort.as_str()))
            && (self.vendor.is_empty() || parcel.row.vendor == self.vendor)
            && parcel.origin.starts_with(&self.origin)
            && parcel.dest.starts_with(&self.dest)
    }

    /// The parameters of a view.
    pub fn parameters(&self) -> String {
        let Self {
            from_date,
            to_date,
            vendor,
            origin,
            dest,
        } = self;
        format!(
            "from_date = '{from_date}', to_date = '{to_date}', vendor = '{vendor}', origin = '{origin}', dest = '{dest}'"
        )
    }
}
