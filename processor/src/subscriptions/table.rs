//! What the database knows: the rows of `subscription`, and which parcels have come to their end.

use std::collections::HashSet;

use clickhouse::error::Error as ClientError;
use clickhouse::{Client, Row};
use courierflow_schemas::records::{Status, SubscriptionState};
use serde::{Deserialize, Serialize};

use crate::config::ClickHouseSettings;
use crate::sink::client::client;

/// Numbers that are asked for at a time: a parameter travels in the URL.
const NUMBERS_AT_A_TIME: usize = 500;

/// Newest first. An empty parameter stands for all.
const SUBSCRIPTIONS: &str = "
    SELECT toString(vendor) AS vendor, toString(account) AS account, tracking_number, toString(carrier) AS carrier,
        toString(vendor_carrier) AS vendor_carrier, toString(state) AS state, toString(ifNull(reason, '')) AS reason,
        toString(ifNull(code, '')) AS code, toString(since) AS since, toString(requester) AS requester,
        ifNull(reference, '') AS reference, toString(product) AS product, toBool(international) AS international,
        toUInt16(round) AS round, toUInt16(attempt) AS attempt, toUInt64(version) AS version
    FROM subscription FINAL
    WHERE ({state:String} = '' OR state = {state:String}) AND ({account:String} = '' OR account = {account:String})
        AND ({code:String} = '' OR ifNull(code, '') = {code:String})
    ORDER BY since DESC, tracking_number
    LIMIT {limit:UInt64}";

/// Of several lives of a number the newest counts.
const TERMINAL: &str = "
    SELECT tracking_number FROM shipment FINAL
    WHERE tracking_number IN {numbers:Array(String)}
    GROUP BY tracking_number
    HAVING argMax(toString(status), (epoch, version)) IN {statuses:Array(String)}";

/// A subscription, as the table has it. Missing texts are empty.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns of the table, which explains them")]
pub struct SubscriptionRow {
    pub vendor: String,
    pub account: String,
    pub tracking_number: String,
    pub carrier: String,
    pub vendor_carrier: String,
    pub state: String,
    pub reason: String,
    pub code: String,
    pub since: String,
    pub requester: String,
    pub reference: String,
    pub product: String,
    pub international: bool,
    pub round: u16,
    pub attempt: u16,
    pub version: u64,
}

/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// In this state only.
    pub state: Option<SubscriptionState>,
    /// Of accounts with this name only.
    pub account: Option<String>,
    /// With this code of the vendor only.
    pub code: Option<String>,
}

/// `ClickHouse` does not answer, or not as expected.
#[derive(Debug, thiserror::Error)]
#[error("ClickHouse {url}")]
pub struct TableError {
    url: String,
    source: ClientError,
}

/// The tables of one database.
pub struct Tables {
    client: Client,
    url: String,
}

impl Tables {
    /// Asks nothing yet.
    pub fn new(settings: &ClickHouseSettings) -> Self {
        Self {
            client: client(settings).with_database(&settings.database),
            url: settings.url.clone(),
        }
    }

    /// The newest subscriptions.
    pub async fn subscriptions(&self, selection: &Selection, limit: u64) -> Result<Vec<SubscriptionRow>, TableError> {
        let query = self
            .client
            .query_raw(SUBSCRIPTIONS)
            .param("state", selection.state.map_or("", SubscriptionState::as_str))
            .param("account", selection.account.as_deref().unwrap_or_default())
            .param("code", selection.code.as_deref().unwrap_or_default())
            .param("limit", limit);
        query.fetch_all().await.map_err(|source| self.error(source))
    }

    /// Those of the numbers whose parcel is delivered, returned or cancelled.
    pub async fn terminal<'a>(&self, numbers: impl Iterator<Item = &'a str>) -> Result<HashSet<String>, TableError> {
        let statuses: Vec<&str> = Status::ALL
            .iter()
            .filter(|status| status.is_terminal())
            .map(|status| status.as_str())
            .collect();
        let numbers: Vec<&str> = numbers.collect();
        let mut terminal = HashSet::new();
        for numbers in numbers.chunks(NUMBERS_AT_A_TIME) {
            let query = self
                .client
                .query_raw(TERMINAL)
                .param("numbers", numbers)
                .param("statuses", &statuses);
            terminal.extend(query.fetch_all::<String>().await.map_err(|source| self.error(source))?);
        }
        Ok(terminal)
    }

    fn error(&self, source: ClientError) -> TableError {
        TableError {
            url: self.url.clone(),
            source,
        }
    }
}
