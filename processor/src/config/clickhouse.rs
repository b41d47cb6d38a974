//! `[clickhouse]`: where the database is, and what an operator may choose about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use courierflow_schemas::settings::{self, Secret, SettingsError, check_http_url, require, require_between};
use courierflow_schemas::tls::ClientTls;
use native_tls::TlsConnector;
use serde::Deserialize;

use crate::sink::client::connector;

/// `[clickhouse]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClickHouseSettings {
    /// Address of the HTTP interface.
    pub url: String,
    /// Database of all tables.
    pub database: String,
    /// User.
    pub user: String,
    /// Password of the user; empty when missing.
    pub password: Option<Secret>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
    /// A file with the certificates by which the server's is judged, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A file with the certificate that the server asks for.
    pub certificate_file: Option<PathBuf>,
    /// A file with its key.
    pub key_file: Option<PathBuf>,
    /// Compression of inserts; `none` is cheaper if ClickHouse runs on the same host.
    pub compression: Compression,
    /// Settings that are sent with every statement, except those that are ours.
    #[serde(deserialize_with = "settings::texts")]
    pub settings: BTreeMap<String, String>,
    /// What views run as and may use.
    pub views: ViewSettings,
    /// How long tables keep their rows.
    pub retention_days: RetentionDays,
    /// What the three files say.
    #[serde(skip)]
    pub tls: Option<TlsConnector>,
}

/// How inserts are compressed for transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// LZ4: about a quarter of the bytes.
    #[default]
    Lz4,
    /// No compression.
    None,
}

/// `[clickhouse.views]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ViewSettings {
    /// The user as whom views read the tables; whoever runs `migrate` when missing.
    pub definer: Option<String>,
    /// Memory that a refresh may use, in bytes. With three eighths of it, a grouping goes to the disk.
    pub max_memory_bytes: u64,
}

/// `[clickhouse.retention_days]`: days that a table keeps its rows, 0 for ever. A table without a number is left as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionDays {
    /// After the receipt of the push; 90 in a new table.
    pub push: Option<u32>,
    /// After the first push of the parcel; for ever in a new table.
    pub shipment: Option<u32>,
    /// The same.
    pub transition: Option<u32>,
    /// After the call; 400 in a new table.
    pub vendor_call: Option<u32>,
    /// After the receipt of the push; 90 in a new table.
    pub route_node: Option<u32>,
}

/// Settings that cannot be set, because what the program promises rests on them. Each is explained where it is set
/// (`sink::client`, `dashboard::database`, `migrate`).
const OURS: [&str; 16] = [
    "async_insert",
    "database",
    "date_time_output_format",
    "do_not_merge_across_partitions_select_final",
    "http_write_exception_in_output_format",
    "input_format_null_as_default",
    "input_format_skip_unknown_fields",
    "input_format_with_names_use_header",
    "input_format_with_types_use_header",
    "insert_deduplicate",
    "join_use_nulls",
    "max_partitions_per_insert_block",
    "optimize_on_insert",
    "readonly",
    "wait_end_of_query",
    "wait_for_async_insert",
];

/// A transit time of up to 180 days counts, so the rows of younger parcels may still change figures.
const LEAST_DAYS_OF_PARCELS: u32 = 180;

impl Default for ClickHouseSettings {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8123".to_owned(),
            database: "courier".to_owned(),
            user: "default".to_owned(),
            password: None,
            password_file: None,
            ca_file: None,
            certificate_file: None,
            key_file: None,
            compression: Compression::Lz4,
            settings: BTreeMap::new(),
            views: ViewSettings::default(),
            retention_days: RetentionDays::default(),
            tls: None,
        }
    }
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self {
            definer: None,
            max_memory_bytes: 8_000_000_000,
        }
    }
}

impl ViewSettings {
    /// As it stands in the DDL.
    pub fn definer(&self) -> &str {
        self.definer.as_deref().unwrap_or("CURRENT_USER")
    }

    /// From here on a grouping uses the disk: early enough that the rest of the query has room.
    pub const fn memory_before_disk_bytes(&self) -> u64 {
        self.max_memory_bytes / 8 * 3
    }
}

impl ClickHouseSettings {
    /// Reads the files.
    pub(super) fn complete(&mut self) -> Result<(), SettingsError> {
        if let Some(file) = &self.password_file {
            self.password = Some(settings::secret_from_file("clickhouse.password_file", file)?);
        }
        let (ca, certificate, key) = (&self.ca_file, &self.certificate_file, &self.key_file);
        let tls = ClientTls::read(
            "clickhouse",
            &self.url,
            ca.as_deref(),
            certificate.as_deref(),
            key.as_deref(),
        )?;
        self.tls = match tls {
            None => None,
            Some(tls) => {
                Some(connector(&tls).map_err(|error| SettingsError::Invalid(format!("clickhouse: {error:#}")))?)
            }
        };
        Ok(())
    }

    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        require(
            is_identifier(&self.database),
            "clickhouse.database",
            format!("{:?} is no identifier ([A-Za-z_][A-Za-z0-9_]*)", self.database),
        )?;
        check_http_url("clickhouse.url", &self.url)?;
        for name in self.settings.keys() {
            let key = format!("clickhouse.settings.{name}");
            require(is_identifier(name), &key, "is no name of a setting")?;
            require(
                !OURS.contains(&name.as_str()),
                &key,
                "is not for configuration to change: what courierflow promises rests on it",
            )?;
        }
        self.views.validate()?;
        self.retention_days.validate()
    }
}

impl ViewSettings {
    fn validate(&self) -> Result<(), SettingsError> {
        if let Some(definer) = &self.definer {
            require(
                is_identifier(definer) && !definer.eq_ignore_ascii_case("CURRENT_USER"),
                "clickhouse.views.definer",
                format!("{definer:?} is no name of a user ([A-Za-z_][A-Za-z0-9_]*)"),
            )?;
        }
        require_between(
            "clickhouse.views.max_memory_bytes",
            self.max_memory_bytes,
            100_000_000..=10_000_000_000_000,
        )
    }
}

impl RetentionDays {
    fn validate(&self) -> Result<(), SettingsError> {
        for (table, days, least) in [
            ("push", self.push, 1),
            ("shipment", self.shipment, LEAST_DAYS_OF_PARCELS),
            ("transition", self.transition, LEAST_DAYS_OF_PARCELS),
            ("vendor_call", self.vendor_call, 1),
            ("route_node", self.route_node, 1),
        ] {
            let days = days.unwrap_or(0);
            require(
                days == 0 || (least..=36_500).contains(&days),
                &format!("clickhouse.retention_days.{table}"),
                format!("{days} is neither 0 nor between {least} and 36500"),
            )?;
        }
        Ok(())
    }
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(change: impl FnOnce(&mut ClickHouseSettings)) -> String {
        let mut settings = ClickHouseSettings::default();
        change(&mut settings);
        settings
            .validate()
            .map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn what_promises_rest_on_cannot_be_set() {
        let set = |name: &str| said(|settings| drop(settings.settings.insert(name.to_owned(), "1".to_owned())));
        assert_eq!(set("max_threads"), "fine");
        assert_eq!(set("insert_quorum"), "fine");
        assert!(set("async_insert").contains("clickhouse.settings.async_insert: is not for configuration"));
        assert!(set("a b").contains("is no name of a setting"));
    }

    #[test]
    fn rows_of_parcels_are_kept_for_as_long_as_they_count() {
        let days = |shipment| said(|settings| settings.retention_days.shipment = Some(shipment));
        assert_eq!(days(0), "fine");
        assert_eq!(days(180), "fine");
        assert!(days(179).contains("clickhouse.retention_days.shipment: 179 is neither 0 nor between 180 and 36500"));
        assert_eq!(said(|settings| settings.retention_days.push = Some(1)), "fine");
    }

    #[test]
    fn a_definer_is_a_user() {
        let definer = |name: &str| said(|settings| settings.views.definer = Some(name.to_owned()));
        assert_eq!(definer("courier_views"), "fine");
        for name in ["", "a b", "a'b", "current_user"] {
            assert!(definer(name).contains("clickhouse.views.definer"), "{name}");
        }
    }

    #[test]
    fn a_grouping_goes_to_the_disk_early() {
        assert_eq!(ViewSettings::default().memory_before_disk_bytes(), 3_000_000_000);
    }
}
