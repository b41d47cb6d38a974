//! Asks `ClickHouse` over HTTP, and waits until it has everything.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::measures::REFRESHED;

/// Which server, and as whom.
#[derive(Clone, Debug, Args)]
pub struct ClickHouseArguments {
    /// HTTP interface of ClickHouse, for the report
    #[arg(long, default_value = "http://127.0.0.1:8123")]
    pub clickhouse_url: String,
    /// User of ClickHouse
    #[arg(long, default_value = "default")]
    pub clickhouse_user: String,
    /// Password of that user
    #[arg(long, env = "CLICKHOUSE_PASSWORD", default_value = "", hide_env_values = true)]
    pub clickhouse_password: String,
    /// File with that password instead
    #[arg(long, env = "CLICKHOUSE_PASSWORD_FILE")]
    pub clickhouse_password_file: Option<PathBuf>,
}

/// A `ClickHouse` server, by its HTTP interface.
#[derive(Clone, Debug)]
pub struct ClickHouse {
    client: reqwest::Client,
    url: String,
    user: String,
    password: String,
}

impl ClickHouse {
    /// Talks to the server of the arguments.
    pub fn of(arguments: &ClickHouseArguments) -> anyhow::Result<Self> {
        let ClickHouseArguments {
            clickhouse_url,
            clickhouse_user,
            clickhouse_password,
            clickhouse_password_file,
        } = arguments;
        let password = match clickhouse_password_file {
            Some(file) => fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
            None => clickhouse_password.clone(),
        };
        Self::new(clickhouse_url, clickhouse_user, password.trim())
    }

    /// Talks to `url` (scheme, host, port) as `user`.
    pub fn new(url: &str, user: &str, password: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self {
            client,
            url,
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }

    /// The rows of a query.
    pub async fn rows<Row: DeserializeOwned>(&self, sql: &str) -> anyhow::Result<Vec<Row>> {
        let text = self.post(format!("{sql}\nFORMAT JSONEachRow")).await?;
        let rows = text.lines().filter(|line| !line.is_empty()).map(serde_json::from_str);
        rows.collect::<Result<_, _>>()
            .with_context(|| format!("unexpected answer to: {sql}"))
    }

    /// Counts the metrics anew, and waits for it: the dashboard would show what was just sent only when the clock says so.
    pub async fn refresh_metrics(&self) -> anyhow::Result<()> {
        for table in REFRESHED {
            for command in ["REFRESH", "WAIT"] {
                self.post(format!("SYSTEM {command} VIEW courier.{table}_refresh"))
                    .await?;
            }
        }
        Ok(())
    }

    /// Begins to fill a table anew that is else filled by the clock.
    pub(crate) async fn begin_refresh(&self, table: &str) -> anyhow::Result<()> {
        self.post(format!("SYSTEM REFRESH VIEW courier.{table}_refresh"))
            .await?;
        Ok(())
    }

    async fn post(&self, statement: String) -> anyhow::Result<String> {
        // Both settings have had other defaults in other versions: numbers as numbers, infinity as null.
        let settings = "output_format_json_quote_64bit_integers=0&output_format_json_quote_denormals=0";
        let request = self
            .client
            .post(format!("{}/?{settings}", self.url))
            .header("x-clickhouse-user", &self.user)
            .header("x-clickhouse-key", &self.password)
            .body(statement);
        let response = request.send().await.context("clickhouse does not answer")?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("clickhouse: {}", text.trim());
        }
        Ok(text)
    }

    pub(crate) async fn one<Row: DeserializeOwned>(&self, sql: &str) -> anyhow::Result<Row> {
        self.rows(sql)
            .await?
            .into_iter()
            .next()
            .context("clickhouse answered with no row")
    }
}

/// What the tables held when we looked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
struct Arrived {
    /// Push events received since the start.
    push_events: u64,
    /// Parcels among them that have no shipment yet.
    without_shipment: u64,
    shipments: u64,
    newest_version: u64,
    transitions: u64,
}

/// Waits until the tables show every push event since `since_micros` (microseconds since 1970), a shipment for
/// each of its parcels, and nothing moves any more. A clear error when that has not come to pass within `patience`.
pub async fn wait_until_caught_up(
    clickhouse: &ClickHouse,
    since_micros: i64,
    push_events: u64,
    patience: Duration,
    mut on_wait: impl FnMut(u64),
) -> anyhow::Result<()> {
    const QUIET: Duration = Duration::from_secs(2);
    let since = format!("received_at >= fromUnixTimestamp64Micro({since_micros})");
    let sql = format!(
        "SELECT (SELECT count() FROM courier.push FINAL WHERE {since}) AS push_events,
                (SELECT uniqExact(vendor, tracking_number) FROM courier.push WHERE {since} AND
                        (vendor, tracking_number) NOT IN (SELECT vendor, tracking_number FROM courier.shipment))
                    AS without_shipment,
                (SELECT count() FROM courier.shipment FINAL) AS shipments,
                (SELECT max(version) FROM courier.shipment) AS newest_version,
                (SELECT count() FROM courier.transition FINAL) AS transitions"
    );
    let deadline = Instant::now() + patience;
    let mut last = Arrived::default();
    let mut quiet_since = Instant::now();
    loop {
        let problem = match clickhouse.one::<Arrived>(&sql).await {
            Ok(arrived) => {
                if arrived != last {
                    quiet_since = Instant::now();
                    last = arrived;
                }
                if last.push_events >= push_events && last.without_shipment == 0 && quiet_since.elapsed() >= QUIET {
                    return Ok(());
                }
                on_wait(last.push_events);
                None
            }
            Err(error) => Some(error),
        };
        if Instant::now() > deadline {
            if let Some(error) = problem {
                return Err(error);
            }
            bail!(
                "the tables have not caught up within {} s: {} of {push_events} push events, {} parcels still without a \
                 shipment, {} shipments. Is the processor running? Its log and its metrics say how far behind it is.",
                patience.as_secs(),
                last.push_events,
                last.without_shipment,
                last.shipments
            );
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
}
