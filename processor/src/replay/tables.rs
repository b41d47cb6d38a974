//! The fresh tables. They are filled with what was derived again, completed with the rows of parcels that began
//! earlier, compared with the present tables, and exchanged for them.

use std::collections::BTreeMap;
use std::fmt;

use clickhouse::error::Error as ClientError;
use clickhouse::{Client, Row, RowOwned};
use courierflow_schemas::records::TimestampMicros;
use serde::{Deserialize, Serialize};

use super::ReplayError;
use super::row_buffer::Rows;
use super::sinks::SinkStart;
use crate::config::ClickHouseSettings;
use crate::sink::client::quorum_client;

/// The tables that are derived; `push` is a log of what was received.
const TABLES: [&str; 2] = ["shipment", "transition"];

/// Figures of a carrier, over all of its parcels.
#[derive(Clone, Debug, Default, PartialEq, Row, Deserialize)]
pub struct CarrierFigures {
    /// Canonical carrier code.
    pub carrier: String,
    /// Parcels picked up.
    pub parcels: u64,
    /// Delivered on the forward leg.
    pub delivered: u64,
    /// Returned or on their way back.
    pub returned: u64,
    /// With at least one exception.
    pub with_exception: u64,
    /// Median hours from pickup to delivery, of all parcels, the undelivered as never; NULL = not reached.
    pub p50_hours: Option<f64>,
}

/// Differences between the fresh and the present tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Rows of the fresh table shipment that the present one does not have or has differently.
    pub shipments: u64,
    /// The same for transition.
    pub transitions: u64,
    /// Carriers with a figure that differs, before and after.
    pub carriers: Vec<(CarrierFigures, CarrierFigures)>,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "rows that differ: {} of shipment, {} of transition",
            self.shipments, self.transitions
        )?;
        if self.carriers.is_empty() {
            return write!(out, "no figure of a carrier changes");
        }
        write!(
            out,
            "{:<16} {:>17} {:>17} {:>17} {:>17} {:>17}",
            "carrier", "parcels", "delivered", "returned", "with exception", "p50 hours"
        )?;
        let hours = |hours: Option<f64>| hours.map_or_else(|| "-".to_owned(), |hours| format!("{hours:.1}"));
        for (before, after) in &self.carriers {
            let change = |before: String, after: String| {
                if before == after {
                    after
                } else {
                    format!("{before} -> {after}")
                }
            };
            let count = |before: u64, after: u64| change(before.to_string(), after.to_string());
            write!(
                out,
                "\n{:<16} {:>17} {:>17} {:>17} {:>17} {:>17}",
                after.carrier,
                count(before.parcels, after.parcels),
                count(before.delivered, after.delivered),
                count(before.returned, after.returned),
                count(before.with_exception, after.with_exception),
                change(hours(before.p50_hours), hours(after.p50_hours))
            )?;
        }
        Ok(())
    }
}

/// The tables of a replay, beside `shipment` and `transition`.
pub(super) struct Tables {
    client: Client,
}

impl Tables {
    pub(super) fn new(settings: &ClickHouseSettings) -> Self {
        let client = quorum_client(settings)
            .with_database(&settings.database)
            .with_setting("async_insert", "0")
            // On a cluster the statements of a replay may reach different replicas. A majority has each insert, and a replica that
            // lacks one refuses to be read, which needs inserts one after another. Tables that are not replicated pass over it.
            .with_setting("insert_quorum_parallel", "0")
            .with_setting("select_sequential_consistency", "1")
            .with_setting("max_partitions_per_insert_block", "0")
            // The newest version of a row may be in another month than the others.
            .with_setting("do_not_merge_across_partitions_select_final", "0");
        Self { client }
    }

    /// Fails if tables of before an earlier exchange exist. They are the only way back from it, so only the user may
    /// drop them.
    pub(super) async fn refuse_older_rows(&self) -> Result<(), ReplayError> {
        for table in TABLES {
            let older = format!("{table}_before_replay");
            let is_there = self.client.query(&format!("EXISTS TABLE {older}"));
            if is_there.fetch_one::<u8>().await? == 1 {
                return Err(ReplayError::OlderRows(older));
            }
        }
        Ok(())
    }

    /// Creates the tables, empty; tables left by an earlier replay are dropped.
    pub(super) async fn create(&self) -> Result<(), ReplayError> {
        for table in TABLES {
            for kind in ["replayed", "fresh"] {
                self.execute(&format!("DROP TABLE IF EXISTS {table}_{kind} SYNC"))
                    .await?;
                self.execute(&format!("CREATE TABLE {table}_{kind} AS {table}")).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn insert(&self, rows: Rows) -> Result<(), ReplayError> {
        self.insert_into("shipment_replayed", &rows.shipments).await?;
        self.insert_into("transition_replayed", &rows.transitions).await?;
        Ok(())
    }

    async fn insert_into<R: RowOwned + Serialize>(&self, table: &str, rows: &[R]) -> Result<(), ClientError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut insert = self.client.insert::<R>(table).await?;
        for row in rows {
            insert.write(row).await?;
        }
        insert.end().await
    }

    /// Copies the present rows of parcels whose first push was not read.
    pub(super) async fn complete(&self, covered_from: Option<TimestampMicros>) -> Result<(), ReplayError> {
        self.wait_for_replica().await?;
        let began_before = match covered_from {
            Some(TimestampMicros(micros)) => format!("first_received_at < fromUnixTimestamp64Micro({micros})"),
            None => "false".to_owned(),
        };
        for table in TABLES {
            self.execute(&format!(
                "INSERT INTO {table}_fresh SELECT * FROM {table} FINAL WHERE {began_before}"
            ))
            .await?;
            self.execute(&format!(
                "INSERT INTO {table}_fresh SELECT * FROM {table}_replayed FINAL WHERE NOT {began_before}
                AND (vendor, tracking_number, epoch) NOT IN (
                    SELECT vendor, tracking_number, epoch FROM shipment FINAL WHERE {began_before}
                    AND (vendor, tracking_number) IN (SELECT vendor, tracking_number FROM shipment_replayed))"
            ))
            .await?;
        }
        Ok(())
    }

    pub(super) async fn difference(&self) -> Result<Difference, ReplayError> {
        self.wait_for_replica().await?;
        let before = self.figures("shipment").await?;
        let mut after = self.figures("shipment_fresh").await?;
        let mut carriers = Vec::new();
        for (carrier, before) in before {
            let after = after.remove(&carrier).unwrap_or_else(|| CarrierFigures {
                carrier,
                ..CarrierFigures::default()
            });
            if before != after {
                carriers.push((before, after));
            }
        }
        carriers.extend(after.into_values().map(|after| (CarrierFigures::default(), after)));
        Ok(Difference {
            shipments: self.count_differing("shipment").await?,
            transitions: self.count_differing("transition").await?,
            carriers,
        })
    }

    async fn figures(&self, table: &str) -> Result<BTreeMap<String, CarrierFigures>, ReplayError> {
        let query = format!(
            "SELECT carrier, countIf(isNotNull(picked_up_at)) AS parcels, countIf(isNotNull(delivered_at)) AS delivered,
                countIf(isNotNull(returning_at) OR isNotNull(returned_at)) AS returned,
                countIf(notEmpty(exception_codes) OR notEmpty(exception_reasons)) AS with_exception,
                quantileExactIf(0.5)(if(isNull(delivered_at), inf, (toInt64(assumeNotNull(delivered_at)) - toInt64(assumeNotNull(picked_up_at))) / 3600),
                    isNotNull(picked_up_at)) AS median,
                if(isFinite(median), median, NULL) AS p50_hours
            FROM {table} FINAL WHERE tracking_state != 'CARRIER_CORRECTED' GROUP BY carrier"
        );
        let query = format!(
            "SELECT carrier, parcels, delivered, returned, with_exception, p50_hours FROM ({query}) ORDER BY carrier"
        );
        let rows = self.client.query(&query).fetch_all::<CarrierFigures>().await?;
        Ok(rows.into_iter().map(|row| (row.carrier.clone(), row)).collect())
    }

    /// Counts rows that differ in any column, among the numbers that were read.
    async fn count_differing(&self, table: &str) -> Result<u64, ReplayError> {
        let hashes = |table: String| {
            format!(
                "SELECT sipHash64(toString(tuple(*))) AS hash FROM {table} FINAL
                WHERE (vendor, tracking_number) IN (SELECT vendor, tracking_number FROM shipment_replayed)"
            )
        };
        let (fresh, present) = (hashes(format!("{table}_fresh")), hashes(table.to_owned()));
        let query = format!("SELECT count() FROM ({fresh}) WHERE hash NOT IN ({present})");
        Ok(self.client.query(&query).fetch_one::<u64>().await?)
    }

    /// Lets the sink begin at these offsets, whatever is asked for: the records before them tell what was derived before, with the same
    /// versions as the fresh rows. That holds for the fresh tables, whatever their names are.
    pub(super) async fn set_starts(&self, starts: &[SinkStart]) -> Result<(), ReplayError> {
        let own_id = self.id_of("sink_start").await?;
        let mut rows = Vec::with_capacity(starts.len());
        for table in TABLES {
            let table_id = self.id_of(&format!("{table}_fresh")).await?;
            let of_table = starts.iter().filter(|start| start.table == table);
            rows.extend(of_table.map(|start| start.row(table_id.clone(), own_id.clone())));
        }
        Ok(self.insert_into("sink_start", &rows).await?)
    }

    async fn id_of(&self, table: &str) -> Result<String, ClientError> {
        let query = "SELECT toString(uuid) FROM system.tables WHERE database = currentDatabase() AND name = ?";
        self.client.query(query).bind(table).fetch_one().await
    }

    /// Exchanges the tables. A reader sees either the old rows or the new ones; the old tables are kept.
    pub(super) async fn exchange(&self) -> Result<(), ReplayError> {
        for table in TABLES {
            self.execute(&format!("EXCHANGE TABLES {table} AND {table}_fresh"))
                .await?;
            self.execute(&format!("RENAME TABLE {table}_fresh TO {table}_before_replay"))
                .await?;
            self.execute(&format!("DROP TABLE {table}_replayed SYNC")).await?;
        }
        Ok(())
    }

    /// What the sink has inserted may not have reached this replica yet, and would count as missing.
    async fn wait_for_replica(&self) -> Result<(), ClientError> {
        let query = "SELECT name FROM system.tables
            WHERE database = currentDatabase() AND startsWith(engine, 'Replicated') AND name IN ?";
        let replicated: Vec<String> = self.client.query(query).bind(TABLES.as_slice()).fetch_all().await?;
        for table in replicated {
            self.execute(&format!("SYSTEM SYNC REPLICA {table}")).await?;
        }
        Ok(())
    }

    async fn execute(&self, statement: &str) -> Result<(), ClientError> {
        self.client.query_raw(statement).execute().await
    }
}
