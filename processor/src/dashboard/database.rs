//! Queries to ClickHouse: as a user who can only read, with a fixed set of statements, values bound by the server, and limits
//! on time and on the amount read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::StatusCode;
use clickhouse::Client;
use clickhouse::error::Error;
use clickhouse::query::Query;
use jiff::civil::Date;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Refusal;
use super::download::{self, Download};
use super::parameters::Question;
use super::rows::{AnswerMemory, Rows, TooLarge};
use crate::config::{ClickHouseSettings, DashboardSettings};
use crate::sink::client::client;
use crate::sink::insert_error::code_of;
use crate::splices::{COLUMNS, FORMULAS, Splices};

/// More than any statement returns (each has its own LIMIT): a mistake in one must not fill the memory.
const MAX_RESULT_ROWS: &str = "50000";
const MAX_RESULT_BYTES: &str = "33554432";
/// Enough for a hundred million shipments with all columns that a statement needs; a statement that reads more is
/// wrong.
const MAX_ROWS_TO_READ: &str = "2000000000";
const MAX_BYTES_TO_READ: &str = "50000000000";
/// Of a file; it is passed on as it comes, so it takes no memory here.
const MAX_DOWNLOAD_BYTES: &str = "268435456";
/// Files at once. They are not places of [`Database::places`]: a slow reader of a file must not keep others from figures.
const MAX_DOWNLOADS: usize = 2;
/// A file may take so many times as long as figures that somebody waits for.
const DOWNLOAD_PATIENCE: u32 = 6;
const MAX_MEMORY_USAGE: &str = "4000000000";

/// How long to wait, beyond the time that a query may take, for the server to apply its own limit.
const GRACE: Duration = Duration::from_secs(2);

/// A statement of `sql/`, and its name in metrics and logs. Its formulas are splices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

/// The database behind the dashboard.
#[derive(Clone)]
pub(super) struct Database {
    client: Client,
    formulas: Arc<Splices>,
    user: String,
    timeout: Duration,
    places: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
    memory: AnswerMemory,
}

/// The server, as the user of the dashboard.
pub(super) fn reader(clickhouse: &ClickHouseSettings, settings: &DashboardSettings) -> ClickHouseSettings {
    ClickHouseSettings {
        user: settings.clickhouse_user.clone(),
        password: settings.clickhouse_password.clone(),
        password_file: None,
        ..clickhouse.clone()
    }
}

impl Database {
    pub(super) fn new(clickhouse: &ClickHouseSettings, settings: &DashboardSettings) -> Self {
        let reader = reader(clickhouse, settings);
        let timeout = Duration::from_millis(settings.query_timeout_ms);
        let client = client(&reader)
            .with_database(&reader.database)
            // The user has no right to write anyway; this also keeps a statement from changing the settings below.
            .with_setting("readonly", "1")
            .with_setting("max_execution_time", timeout.as_secs_f64().to_string())
            .with_setting("timeout_overflow_mode", "throw")
            .with_setting("max_result_rows", MAX_RESULT_ROWS)
            .with_setting("max_result_bytes", MAX_RESULT_BYTES)
            .with_setting("result_overflow_mode", "throw")
            .with_setting("max_rows_to_read", MAX_ROWS_TO_READ)
            .with_setting("max_bytes_to_read", MAX_BYTES_TO_READ)
            .with_setting("read_overflow_mode", "throw")
            .with_setting("max_memory_usage", MAX_MEMORY_USAGE)
            // When the browser leaves a page, its queries are cancelled.
            .with_setting("cancel_http_readonly_queries_on_client_close", "1")
            // The status of the answer is that of the whole query, and errors do not appear among the rows.
            .with_setting("wait_end_of_query", "1")
            .with_setting("http_write_exception_in_output_format", "0")
            // Numbers are not quoted. Some functions return infinity for "not reached", which must not become a
            // string.
            .with_setting("output_format_json_quote_64bit_integers", "0")
            .with_setting("output_format_json_quote_denormals", "0")
            .with_setting("output_format_json_named_tuples_as_objects", "1")
            .with_setting("date_time_output_format", "iso");
        Self {
            client,
            formulas: Arc::new(Splices::new(FORMULAS, COLUMNS)),
            user: reader.user,
            timeout,
            places: Arc::new(Semaphore::new(settings.max_queries)),
            downloads: Arc::new(Semaphore::new(MAX_DOWNLOADS)),
            memory: AnswerMemory::new(settings.max_answer_memory_bytes, settings.max_answer_bytes),
        }
    }

    /// The rows of a statement.
    pub(super) async fn rows(&self, statement: Statement, question: &Question) -> Result<Rows, Refusal> {
        let asked = Instant::now();
        let answer = self.rows_in_background(statement, question).await;
        let outcome = answer.as_ref().map_or_else(|refusal| refusal.code, |_| "ok");
        metrics::histogram!("courierflow_dashboard_query_seconds", "query" => statement.name, "outcome" => outcome)
            .record(asked.elapsed());
        answer
    }

    /// The same for something that nobody waits for: it is not among the questions whose answers are counted.
    pub(super) async fn rows_in_background(&self, statement: Statement, question: &Question) -> Result<Rows, Refusal> {
        match tokio::time::timeout(self.timeout, self.places.acquire()).await {
            Ok(Ok(_place)) => match tokio::time::timeout(self.timeout + GRACE, self.ask(statement, question)).await {
                Ok(answer) => answer
                    .map_err(|error| self.refusal(statement, &error))
                    .and_then(|rows| self.memory.reserve(rows)),
                Err(_) => Err(self.too_slow()),
            },
            _ => Err(Refusal::because(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "too many questions at once; try again in a moment",
            )),
        }
    }

    async fn ask(&self, statement: Statement, question: &Question) -> Result<Bytes, Error> {
        let query = self.query(statement, question)?;
        let mut cursor = query.fetch_bytes("JSONEachRow")?;
        let mut chunks = Vec::new();
        let mut size = 0;
        while let Some(chunk) = cursor.next().await? {
            size += chunk.len();
            if self.memory.is_too_large(size) {
                return Err(Error::Other(TooLarge.into()));
            }
            chunks.push(chunk);
        }
        Ok(chunks.concat().into())
    }

    /// The statement with the values of the question bound to it.
    fn query(&self, statement: Statement, question: &Question) -> Result<Query, Error> {
        let Question {
            from,
            to,
            carriers,
            vendor,
            origin,
            dest,
            account,
            attention,
            number,
            reference,
            limit,
            figure,
            status,
            exception,
            after,
            table: _,
        } = question;
        let sql = self
            .formulas
            .expand(&figure.fill(statement.sql))
            .map_err(|error| Error::Other(error.into()))?;
        let (kind, name) = exception
            .as_ref()
            .map_or(("", ""), |exception| (exception.kind, exception.name.as_str()));
        // query_raw, so that a question mark in a statement is not a parameter. Parameters in braces are bound by the
        // server.
        Ok(self
            .client
            .query_raw(&sql)
            .param("from", iso(*from))
            .param("to", iso(*to))
            .param("carriers", carriers)
            .param("vendor", vendor.map_or("", |vendor| vendor.as_str()))
            .param("origin", origin.as_deref().unwrap_or_default())
            .param("dest", dest.as_deref().unwrap_or_default())
            .param("account", account.as_deref().unwrap_or_default())
            .param("attention", attention.unwrap_or_default())
            .param("number", number)
            .param("reference", reference)
            .param("limit", limit)
            .param("status", status.unwrap_or_default())
            .param("kind", kind)
            .param("name", name)
            .param("after_carrier", &after.carrier)
            .param("after_number", &after.number)
            .param("after_vendor", &after.vendor)
            .param("after_epoch", iso(after.epoch)))
    }

    /// The rows of a statement as CSV, as they come. The server has finished the query before it sends the first one
    /// (`wait_end_of_query`), so a failure of it is still an answer of its own.
    pub(super) async fn download(&self, statement: Statement, question: &Question) -> Result<Download, Refusal> {
        let asked = Instant::now();
        let answer = match Arc::clone(&self.downloads).try_acquire_owned() {
            Ok(place) => self.first_of_download(statement, question, place).await,
            Err(_) => Err(Refusal::because(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "too many files are being sent at once; try again in a moment",
            )),
        };
        let outcome = answer.as_ref().map_or_else(|refusal| refusal.code, |_| "ok");
        metrics::histogram!("courierflow_dashboard_query_seconds", "query" => statement.name, "outcome" => outcome)
            .record(asked.elapsed());
        answer
    }

    async fn first_of_download(
        &self,
        statement: Statement,
        question: &Question,
        place: OwnedSemaphorePermit,
    ) -> Result<Download, Refusal> {
        let patience = self.timeout * DOWNLOAD_PATIENCE;
        let start = async {
            let query = self
                .query(statement, question)?
                .with_setting("max_result_rows", download::MAX_ROWS.to_string())
                .with_setting("max_result_bytes", MAX_DOWNLOAD_BYTES)
                .with_setting("max_execution_time", patience.as_secs_f64().to_string())
                // As RFC 4180 has it, and nothing for NULL.
                .with_setting("output_format_csv_crlf_end_of_line", "1")
                .with_setting("format_csv_null_representation", "");
            let mut rest = query.fetch_bytes("CSVWithNames")?;
            let first = rest.next().await?;
            Ok(Download { first, rest, place })
        };
        match tokio::time::timeout(patience + GRACE, start).await {
            Ok(download) => download.map_err(|error| self.refusal(statement, &error)),
            Err(_) => Err(self.too_slow()),
        }
    }

    /// Refuses an answer whose statements together gave more than an answer may have.
    pub(super) fn check_size(&self, bytes: usize) -> Result<(), Refusal> {
        if self.memory.is_too_large(bytes) {
            return Err(too_much());
        }
        Ok(())
    }

    fn too_slow(&self) -> Refusal {
        Refusal::because(
            StatusCode::GATEWAY_TIMEOUT,
            "too_slow",
            format!(
                "ClickHouse has not answered within {} s: choose fewer days or one carrier; if that does not help, it is \
                 ClickHouse that is overloaded or stands still",
                self.timeout.as_secs()
            ),
        )
    }

    /// The answer to the client when a statement failed. The server's own message is only logged.
    fn refusal(&self, statement: Statement, error: &Error) -> Refusal {
        let unavailable = |code, message: String| Refusal::because(StatusCode::SERVICE_UNAVAILABLE, code, message);
        let refusal = match code_of(error) {
            // TIMEOUT_EXCEEDED, TOO_SLOW
            Some(159 | 160) => self.too_slow(),
            // TOO_MANY_ROWS, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES
            Some(158 | 241 | 307 | 396) => too_much(),
            // TOO_MANY_SIMULTANEOUS_QUERIES
            Some(202) => unavailable(
                "busy",
                "ClickHouse has too much to do; try again in a moment".to_owned(),
            ),
            // UNKNOWN_IDENTIFIER, UNKNOWN_TABLE, UNKNOWN_DATABASE, ACCESS_DENIED of a table that is not there
            Some(47 | 60 | 81) => unavailable(
                "not_migrated",
                "the tables are not there, or older than this program: run `processor migrate`".to_owned(),
            ),
            // READONLY, UNKNOWN_USER … IP_ADDRESS_NOT_ALLOWED, ACCESS_DENIED, AUTHENTICATION_FAILED
            Some(164 | 192..=195 | 497 | 516) => unavailable(
                "refused",
                format!(
                    "ClickHouse refuses the user {:?} (dashboard.clickhouse_user): it must exist, have the right password, \
                     and be granted SELECT on the database",
                    self.user
                ),
            ),
            Some(_) => Refusal::because(
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                "ClickHouse could not answer; the log of this process says why",
            ),
            None if matches!(error, Error::TimedOut) => self.too_slow(),
            None if matches!(error, Error::Other(cause) if cause.is::<TooLarge>()) => too_much(),
            None => unavailable(
                "database_down",
                "ClickHouse does not answer; figures are back as soon as it is".to_owned(),
            ),
        };
        tracing::warn!(query = statement.name, refusal = refusal.code, %error, "a question was not answered");
        refusal
    }
}

fn too_much() -> Refusal {
    Refusal::because(
        StatusCode::UNPROCESSABLE_ENTITY,
        "too_much",
        "this needs more data than one question may read: choose fewer days or one carrier",
    )
}

fn iso(date: Date) -> String {
    date.to_string()
}
