//! `processor reconcile --gap FROM TO`: an operator knows that pushes of that time are lost, and has all open parcels asked about.
//!
//! The order is a row of `reconcile_gap`, which the running workers find in their next round, wherever they run.

use clickhouse::error::Error as ClientError;
use clickhouse::{Client, Row};
use courierflow_schemas::settings::SettingsError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::statements::COUNT_OF_GAP;
use crate::config::Config;
use crate::sink::client::client;

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapOrder {
    /// When the first push was lost.
    pub begun: Timestamp,
    /// When pushes came again.
    pub ended: Timestamp,
    /// `vendor/account`; all accounts if missing.
    pub account: Option<String>,
}

/// Why an order cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The times are in the wrong order.
    #[error("--gap {begun} {ended}: FROM is not before TO, or TO is in the future")]
    Times {
        /// FROM.
        begun: Timestamp,
        /// TO.
        ended: Timestamp,
    },
    /// There is no such account, or it is not asked.
    #[error("--account {0}: no account vendor/name with daily_queries")]
    NoAccount(String),
    /// Nobody may be asked.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The order is not stored.
    #[error("ClickHouse {url}")]
    ClickHouse {
        /// Its address.
        url: String,
        /// What went wrong.
        source: ClientError,
    },
}

#[derive(Row, Serialize, Deserialize)]
struct GapRow {
    ordered_at: i64,
    vendor: String,
    account: String,
    begun_at: i64,
    ended_at: i64,
}

/// Stores an order. Returns how many open parcels are to be asked about, as far as limits and budgets allow.
pub async fn order(config: &Config, order: &GapOrder) -> Result<u64, OrderError> {
    let GapOrder { begun, ended, account } = order;
    if begun >= ended || *ended > Timestamp::now() {
        return Err(OrderError::Times {
            begun: *begun,
            ended: *ended,
        });
    }
    let asked = config
        .subscribe
        .queried()
        .map(|(_, account)| format!("{}/{}", account.vendor, account.name));
    let accounts: Vec<String> = asked
        .filter(|label| account.as_ref().is_none_or(|named| named == label))
        .collect();
    if let (Some(named), true) = (account, accounts.is_empty()) {
        return Err(OrderError::NoAccount(named.clone()));
    }
    let failed = |source| OrderError::ClickHouse {
        url: config.clickhouse.url.clone(),
        source,
    };
    let client = client(&config.clickhouse).with_database(&config.clickhouse.database);
    let count = client
        .query_raw(COUNT_OF_GAP)
        .param("accounts", accounts)
        .param("until", ended.as_microsecond());
    let parcels = count.fetch_one::<u64>().await.map_err(failed)?;
    insert(&client, order).await.map_err(failed)?;
    Ok(parcels)
}

async fn insert(client: &Client, order: &GapOrder) -> Result<(), ClientError> {
    let (vendor, account) = order
        .account
        .as_deref()
        .and_then(|label| label.split_once('/'))
        .unwrap_or_default();
    let row = GapRow {
        ordered_at: Timestamp::now().as_microsecond(),
        vendor: vendor.to_owned(),
        account: account.to_owned(),
        begun_at: order.begun.as_microsecond(),
        ended_at: order.ended.as_microsecond(),
    };
    let mut insert = client.insert::<GapRow>("reconcile_gap").await?;
    insert.write(&row).await?;
    insert.end().await
}
