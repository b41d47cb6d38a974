//! The files of `deploy/clickhouse/`, embedded in this program.

use std::collections::BTreeMap;

use super::names;
use crate::config::ViewSettings;
use crate::splices::{self, Splices};

/// A file of `deploy/clickhouse/tables/`.
#[derive(Clone, Copy, Debug)]
pub struct TableFile {
    /// Position: files are applied in this order.
    pub number: u32,
    /// File name.
    pub name: &'static str,
    /// Its content.
    pub text: &'static str,
}

macro_rules! tables {
    ($($number:literal $name:literal),+ $(,)?) => {
        &[$(TableFile {
            number: $number,
            name: $name,
            text: include_str!(concat!("../../../deploy/clickhouse/tables/", $name)),
        }),+]
    };
}

macro_rules! views {
    ($($name:literal),+ $(,)?) => {
        &[$((
            $name,
            include_str!(concat!("../../../deploy/clickhouse/views/", $name, ".sql")),
        )),+]
    };
}

/// All table files, in order. The first creates the database and the table that records which files were applied.
pub const TABLES: &[TableFile] = tables![
    1 "001_schema_migration.sql",
    2 "002_push.sql",
    3 "003_shipment.sql",
    4 "004_transition.sql",
    5 "005_sla_promise.sql",
    6 "006_carrier_daily.sql",
    7 "007_exception_daily.sql",
    8 "008_open_parcel.sql",
    9 "009_data_quality_daily.sql",
    10 "010_carrier_mapping.sql",
    11 "011_shipment_flags.sql",
    12 "012_durable_inserts.sql",
    13 "013_sink_offset.sql",
    14 "014_subscription.sql",
    15 "015_vendor_call.sql",
    16 "016_origin.sql",
    17 "017_reconcile_gap.sql",
    18 "018_unknown_wording.sql",
    19 "019_durable_merges.sql",
    20 "020_sink_offset_server.sql",
    21 "021_sink_start_table.sql",
    22 "022_performance_change.sql",
    23 "023_shipment_outcome.sql",
    24 "024_attempt_sum.sql",
    25 "025_order_reference.sql",
    26 "026_calendar.sql",
    27 "027_route_node.sql",
    28 "028_annotation.sql",
];

/// The files of `deploy/clickhouse/views/`: name of the view and text. The order of creation is computed from what
/// they read.
const VIEWS: &[(&str, &str)] = views![
    "annotated_parcel",
    "annotation_now",
    "carrier_by_day",
    "carrier_by_month",
    "carrier_by_week",
    "carrier_count",
    "carrier_daily",
    "carrier_daily_older_refresh",
    "carrier_daily_recent_refresh",
    "carrier_lane_last_30_days",
    "carrier_last_30_days",
    "carrier_scorecard",
    "carrier_trend",
    "cohort_exception",
    "cohort_parcel",
    "counted_at",
    "data_quality",
    "data_quality_refresh",
    "exception_by_day",
    "exception_by_month",
    "exception_by_week",
    "exception_count",
    "exception_daily",
    "exception_daily_older_refresh",
    "exception_daily_recent_refresh",
    "exception_last_30_days",
    "exception_name",
    "exception_rate",
    "exception_trend",
    "lane_by_month",
    "lane_last_30_days",
    "lane_promise",
    "lane_transit",
    "open_exceptions",
    "open_parcel_refresh",
    "order_parcel",
    "order_shipments",
    "parcel",
    "parcel_exception",
    "parcel_route",
    "performance_change_refresh",
    "promised_parcel",
    "push_completeness",
    "route_accuracy_last_30_days",
    "route_hub_last_30_days",
    "shipment_now",
    "shipment_timeline",
    "stalled_shipments",
    "status_name",
    "subscription_attention",
    "subscription_coverage",
    "subscription_quota",
    "subscription_states",
    "transit_distribution",
    "transit_distribution_last_30_days",
    "unknown_wording_refresh",
    "unmapped_carrier",
    "vendor_call_daily",
    "vendor_cost",
    "vendor_fact",
    "working_day",
];

/// The definitions of views. Those of the program are [`Definitions::embedded`]; tests use changed ones.
#[derive(Clone, Debug)]
pub struct Definitions {
    /// Text of each view's file, by name of the view.
    pub views: BTreeMap<String, String>,
    /// Text of `formulas.sql`.
    pub formulas: String,
    /// Text of `columns.sql`.
    pub columns: String,
    /// What an operator may choose.
    pub settings: ViewSettings,
}

impl Definitions {
    /// The files that this program was built with.
    pub fn embedded() -> Self {
        Self {
            views: VIEWS
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
            formulas: splices::FORMULAS.to_owned(),
            columns: splices::COLUMNS.to_owned(),
            settings: ViewSettings::default(),
        }
    }

    /// The same with other settings.
    #[must_use]
    pub fn with_settings(mut self, settings: &ViewSettings) -> Self {
        self.settings = settings.clone();
        self
    }

    /// The splices that views may use.
    pub fn splices(&self) -> Splices {
        Splices::new(&self.formulas, &self.columns)
            .with_rows("status_name", names::values_of_status_names())
            .with_rows("vendor_fact", names::values_of_vendor_facts())
            .with_text("setting", "definer", self.settings.definer())
            .with_text("setting", "view_memory", self.settings.max_memory_bytes.to_string())
            .with_text(
                "setting",
                "view_memory_before_disk",
                self.settings.memory_before_disk_bytes().to_string(),
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(directory: &str) -> Vec<String> {
        let directory = format!("{}/../deploy/clickhouse/{directory}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_file_of_the_directories_is_there_once_and_in_order() {
        let tables: Vec<&str> = TABLES.iter().map(|file| file.name).collect();
        assert_eq!(tables, names_in("tables"));
        for (position, file) in TABLES.iter().enumerate() {
            assert_eq!(file.number as usize, position + 1);
            assert!(file.name.starts_with(&format!("{:03}_", file.number)));
        }
        let views: Vec<String> = VIEWS.iter().map(|(name, _)| format!("{name}.sql")).collect();
        assert_eq!(views, names_in("views"));
    }

    #[test]
    fn no_vendor_is_named_in_sql() {
        let definitions = Definitions::embedded();
        let views = definitions
            .views
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        let tables = TABLES.iter().map(|file| (file.name, file.text));
        let shared = [("formulas", splices::FORMULAS), ("columns", splices::COLUMNS)];
        let vendors = names::vendor_facts();
        for (name, text) in views.chain(tables).chain(shared) {
            let text = text.to_lowercase();
            for vendor in &vendors {
                for word in [vendor.vendor, vendor.name_en, vendor.name_zh] {
                    assert!(!text.contains(&word.to_lowercase()), "{name} names {word}");
                }
            }
        }
    }
}
