//! The rows of ClickHouse that a round begins with.

use std::collections::BTreeMap;
use std::time::Duration;

use clickhouse::error::Error as ClientError;
use clickhouse::query::Query;
use clickhouse::{Client, Row, RowOwned, RowRead};
use courierflow_domain::reconcile::{Class, GapTerms, PushCounts, gaps, interval};
use courierflow_schemas::records::TimestampMicros;
use serde::{Deserialize, Serialize};

use super::history::Spent;
use super::settings::ReconcileSettings;
use super::statements as sql;
use crate::config::ClickHouseSettings;
use crate::sink::client::client;

/// More candidates of a class than this are not looked at; the oldest are.
const MOST: u64 = 500_000;
/// The client waits a little longer than the server works.
const SLACK: Duration = Duration::from_secs(5);

/// A parcel for which the condition of a class holds.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub(super) struct ParcelRow {
    pub(super) vendor: String,
    pub(super) account: String,
    pub(super) tracking_number: String,
    /// Canonical code.
    pub(super) carrier: String,
    /// The vendor's code, if the subscription knows it.
    pub(super) vendor_carrier: String,
    /// Of the subscription; empty if there is none.
    pub(super) product: String,
    pub(super) since: i64,
    /// Queries before those that are remembered.
    pub(super) asked_before: u32,
}

#[derive(Row, Serialize, Deserialize)]
struct SpentRow {
    account: String,
    queries: u32,
    audits: u32,
}

#[derive(Row, Serialize, Deserialize)]
struct IntervalRow {
    number: i64,
    pushes: u32,
}

#[derive(Row, Serialize, Deserialize)]
struct OrderedGapRow {
    ordered_at: i64,
    vendor: String,
    account: String,
    ended_at: i64,
}

/// Why a row is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of this class.
    Class(Class),
    /// Of class AUDIT, and `since` is the pickup.
    AuditUnderWay,
}

/// What a round begins with.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) parcels: Vec<(Kind, Vec<ParcelRow>)>,
    /// By `vendor/account`, what it has spent today on parcels of other workers.
    pub(super) spent_elsewhere: BTreeMap<String, Spent>,
    /// Queries that the table knows and that should be remembered, if that was asked.
    pub(super) known_queries: Option<u64>,
}

/// Whom a round is about.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) now: TimestampMicros,
    /// When the present day began in China.
    pub(super) day: TimestampMicros,
    /// Queries before this are not remembered.
    pub(super) horizon: TimestampMicros,
    pub(super) partitions: Vec<i32>,
    /// Of all topics.
    pub(super) all: u32,
    /// `vendor/account`, each with what is a gap of it.
    pub(super) accounts: Vec<(String, GapTerms)>,
    /// The largest sample of the accounts.
    pub(super) audit_per_10000: u32,
    /// Whether what is remembered is to be compared with the table.
    pub(super) compares: bool,
}

/// Why there are no rows.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("ClickHouse: {0}")]
    Client(#[from] ClientError),
    #[error("ClickHouse does not answer within {0:?}")]
    NoAnswer(Duration),
}

/// The tables that are asked. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tables {
    client: Client,
    timeout: Duration,
    settings: ReconcileSettings,
}

impl Tables {
    /// Asks nothing yet.
    pub(super) fn new(database: &ClickHouseSettings, settings: &ReconcileSettings) -> Self {
        let timeout = Duration::from_millis(settings.statement_timeout_ms);
        let client = client(database)
            .with_database(&database.database)
            .with_setting("max_execution_time", timeout.as_secs().max(1).to_string());
        Self {
            client,
            timeout,
            settings: settings.clone(),
        }
    }

    /// Everything that a round begins with.
    pub(super) async fn load(&self, scope: &Scope) -> Result<Found, LoadError> {
        let mut parcels = Vec::new();
        for (statement, class) in [
            (sql::ENDED_OPEN, Class::EndedOpen),
            (sql::FIRST_PUSH_LATE, Class::FirstPushLate),
            (sql::FALLBACK, Class::Fallback),
        ] {
            let rows = self.parcels(self.of(statement, scope)).await?;
            parcels.push((Kind::Class(class), rows));
        }
        let quiet = micros(self.settings.stalled_quiet_ms);
        let stalled = self
            .of(sql::STALLED, scope)
            .param("quiet", quiet)
            .param("now", scope.now.0);
        parcels.push((Kind::Class(Class::Stalled), self.parcels(stalled).await?));
        parcels.extend(self.audits(scope).await?);
        parcels.extend(self.after_gaps(scope).await?);
        Ok(Found {
            parcels,
            spent_elsewhere: self.spent_elsewhere(scope).await?,
            known_queries: if scope.compares {
                Some(self.known_queries(scope).await?)
            } else {
                None
            },
        })
    }

    async fn audits(&self, scope: &Scope) -> Result<Vec<(Kind, Vec<ParcelRow>)>, LoadError> {
        if scope.audit_per_10000 == 0 {
            return Ok(Vec::new());
        }
        let since = |ago_ms: u64| scope.now.0.saturating_sub(micros(ago_ms));
        let settings = &self.settings;
        let sample = |statement: &str, from: i64| {
            self.of(statement, scope)
                .param("per_10000", scope.audit_per_10000)
                .param("now", scope.now.0)
                .param("from", from)
        };
        let from = since(settings.audit_until_ms.saturating_add(settings.audit_within_ms));
        let under_way = sample(sql::AUDIT_UNDER_WAY, from);
        let at_end = sample(sql::AUDIT_AT_END, since(settings.audit_within_ms))
            .param("after_end", micros(settings.audit_after_end_ms));
        Ok(vec![
            (Kind::AuditUnderWay, self.parcels(under_way).await?),
            (Kind::Class(Class::Audit), self.parcels(at_end).await?),
        ])
    }

    /// The parcels of each gap, found or told.
    async fn after_gaps(&self, scope: &Scope) -> Result<Vec<(Kind, Vec<ParcelRow>)>, LoadError> {
        let longest = Duration::from_millis(self.settings.gap_longest_ms);
        let mut to_ask: Vec<(String, i64, i64)> = Vec::new();
        for (account, terms) in &scope.accounts {
            let counts = self.push_counts(account, terms, scope).await?;
            for gap in gaps(&counts, scope.now, terms) {
                let since = gap.asked_from(longest);
                if since <= scope.now {
                    to_ask.push((account.clone(), since.0, gap.ended.unwrap_or(scope.now).0));
                }
            }
        }
        for ordered in self
            .fetch::<OrderedGapRow>(self.raw(sql::ORDERED_GAPS).param("now", scope.now.0))
            .await?
        {
            let OrderedGapRow {
                ordered_at,
                vendor,
                account,
                ended_at,
            } = ordered;
            let named = format!("{vendor}/{account}");
            let of_it = scope
                .accounts
                .iter()
                .filter(|(label, _)| account.is_empty() || *label == named);
            to_ask.extend(of_it.map(|(label, _)| (label.clone(), ordered_at, ended_at)));
        }
        let mut parcels = Vec::new();
        for (account, since, until) in to_ask {
            let query = self
                .of(sql::GAP, scope)
                .param("account", account)
                .param("since", since)
                .param("until", until);
            parcels.push((Kind::Class(Class::Gap), self.parcels(query).await?));
        }
        Ok(parcels)
    }

    async fn push_counts(&self, account: &str, terms: &GapTerms, scope: &Scope) -> Result<PushCounts, LoadError> {
        let length = i64::try_from(interval(terms.patience).as_micros()).unwrap_or(i64::MAX);
        let query = self
            .raw(sql::PUSHES)
            .param("account", account)
            .param("interval", length)
            .param("now", scope.now.0);
        let rows = self.fetch::<IntervalRow>(query).await?.into_iter();
        Ok(PushCounts {
            by_interval: rows.map(|row| (row.number, row.pushes)).collect(),
        })
    }

    async fn spent_elsewhere(&self, scope: &Scope) -> Result<BTreeMap<String, Spent>, LoadError> {
        if scope.partitions.len() == scope.all as usize {
            return Ok(BTreeMap::new());
        }
        let query = self
            .raw(sql::SPENT_ELSEWHERE)
            .param("day", scope.day.0)
            .param("partitions", &scope.partitions)
            .param("all", scope.all);
        let rows = self.fetch::<SpentRow>(query).await?.into_iter();
        let spent = |row: SpentRow| {
            let SpentRow {
                account,
                queries,
                audits,
            } = row;
            (account, Spent { queries, audits })
        };
        Ok(rows.map(spent).collect())
    }

    async fn known_queries(&self, scope: &Scope) -> Result<u64, LoadError> {
        let query = self
            .raw(sql::KNOWN_QUERIES)
            .param("horizon", scope.horizon.0)
            .param("partitions", &scope.partitions)
            .param("all", scope.all);
        Ok(self.fetch::<u64>(query).await?.into_iter().sum())
    }

    /// The rows of a statement without parameters.
    pub(super) async fn ask<R: RowOwned + RowRead>(&self, statement: &str) -> Result<Vec<R>, LoadError> {
        self.fetch(self.raw(statement)).await
    }

    /// The statement of a class, with what all of them have.
    fn of(&self, class: &str, scope: &Scope) -> Query {
        let accounts: Vec<&str> = scope.accounts.iter().map(|(label, _)| label.as_str()).collect();
        self.raw(&sql::completed(class))
            .param("partitions", &scope.partitions)
            .param("all", scope.all)
            .param("accounts", accounts)
            .param("horizon", scope.horizon.0)
            .param("limit", MOST)
    }

    fn raw(&self, statement: &str) -> Query {
        self.client.query_raw(statement)
    }

    async fn parcels(&self, query: Query) -> Result<Vec<ParcelRow>, LoadError> {
        self.fetch(query).await
    }

    async fn fetch<R: RowOwned + RowRead>(&self, query: Query) -> Result<Vec<R>, LoadError> {
        let longest = self.timeout + SLACK;
        let rows = tokio::time::timeout(longest, query.fetch_all::<R>()).await;
        Ok(rows.map_err(|_| LoadError::NoAnswer(longest))??)
    }
}

fn micros(millis: u64) -> i64 {
    i64::try_from(millis.saturating_mul(1_000)).unwrap_or(i64::MAX)
}
