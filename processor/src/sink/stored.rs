//! What ClickHouse holds, by its table `sink_offset`: a note says that a run of the sink has inserted all records of a partition from
//! one offset to another. A run is one worker reading one partition from where it was assigned, with one start of the server in view.
//!
//! Committed offsets alone do not tell: rows that were inserted can be gone. A server that flushes nothing to its disk loses half a minute
//! of inserts in a power cut, and the tables of a backup are not of the same moment. So
//!
//! * of what was inserted before a restart, only what is older than [`Stored::reread`] counts as stored;
//! * what a run noted after a restart that it had not seen does not count: it speaks for what came before, too;
//! * notes about another table count only where there are none about this one, and only if they came with this one from a backup.
//!
//! What is missing is read again, which changes nothing where it is there (I4).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clickhouse::error::{Error, Result};
use clickhouse::{Client, Row};
use courierflow_schemas::wire::Record;
use rdkafka::error::KafkaError;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::batch::Offsets;
use super::client::insert_client;
use super::insert::Failure;
use super::insert_error::Class;
use super::rows::Table;
use crate::config::Config;

/// Where it is noted what is stored.
pub(super) const TABLE: &str = "sink_offset";

/// How often the server is asked whether it is still the same.
const LOOK: Duration = Duration::from_secs(5);
/// Time-out of a question. While partitions are assigned, it delays the group.
const REQUEST: Duration = Duration::from_secs(5);
/// The start of the server is computed from two clocks that have whole seconds.
const JITTER_S: u64 = 2;

/// Asks ClickHouse for one table. Cheap to clone; the clones share what they have seen.
#[derive(Clone)]
pub(super) struct Stored {
    client: Client,
    database: String,
    table: &'static str,
    details: Option<&'static str>,
    topic: &'static str,
    reread: Duration,
    runtime: Handle,
    seen: Arc<Mutex<Seen>>,
}

/// The servers that have answered. Behind one address there may be several replicas: they are all expected then.
#[derive(Default)]
struct Seen {
    /// Start of each host, in seconds since 1970.
    started_at: BTreeMap<String, i64>,
    identities: BTreeSet<Identity>,
}

impl Seen {
    fn last_start(&self) -> Option<i64> {
        self.started_at.values().copied().max()
    }

    /// Whether the server was restarted, or has another table. A host that was not seen before may be a further replica, unless it started
    /// after the others: then it may be the only one, in a new container. The clock of a server may have been set back.
    fn is_new(&self, server: &Server) -> bool {
        let is_restarted = match self.started_at.get(&server.host) {
            Some(before) => server.started_at.abs_diff(*before) > JITTER_S,
            None => self
                .last_start()
                .is_none_or(|last| server.started_at > last.saturating_add_unsigned(JITTER_S)),
        };
        is_restarted || !self.identities.contains(&server.identity())
    }
}

/// The UUIDs of the sink's table, with that of its details if there is one, and of `sink_offset`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    table: String,
    own: String,
}

/// The server as it is now; times in seconds since 1970 by its clock.
#[derive(Debug, Row, Deserialize)]
struct Server {
    now: i64,
    started_at: i64,
    host: String,
    table_id: String,
    own_id: String,
    start_id: String,
}

/// Offsets that ClickHouse holds, by partition.
#[derive(Debug)]
pub(super) struct Held {
    /// The run that begins now.
    pub(super) run: Run,
    /// All records before this offset are stored. No entry: nothing is known to be stored.
    pub(super) up_to: Offsets,
    /// Earlier records must not be read, because the table has other rows in their place.
    pub(super) start: Offsets,
}

/// What a run had in view when it began.
#[derive(Clone, Debug)]
pub(super) struct Run {
    at: u32,
    /// Start of the server that started last.
    server_started_at: i64,
    tables: Identity,
}

/// Why it is not known what is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotKnown {
    /// A server does not answer now.
    #[error("{0}")]
    Yet(String),
    /// It will not pass by itself.
    #[error("{0}")]
    NeedsOperator(String),
}

impl From<KafkaError> for NotKnown {
    fn from(error: KafkaError) -> Self {
        Self::Yet(error.to_string())
    }
}

/// A row of `sink_offset`.
#[derive(Clone, Debug, Row, Serialize)]
pub(super) struct StoredRange {
    topic: &'static str,
    partition: i32,
    run_at: u32,
    first_offset: u64,
    next_offset: u64,
    table_id: String,
    own_id: String,
    server_started_at: u32,
}

impl Run {
    /// Whether nothing has happened to the server and the tables between the beginnings of two runs.
    pub(super) fn has_same_view(&self, other: &Self) -> bool {
        self.tables == other.tables && self.server_started_at.abs_diff(other.server_started_at) <= JITTER_S
    }

    /// That all records of a partition between two offsets are inserted.
    pub(super) fn stored(&self, topic: &'static str, partition: i32, first: i64, next: i64) -> StoredRange {
        StoredRange {
            topic,
            partition,
            run_at: self.at,
            first_offset: u64::try_from(first).unwrap_or(0),
            next_offset: u64::try_from(next).unwrap_or(0),
            table_id: self.tables.table.clone(),
            own_id: self.tables.own.clone(),
            server_started_at: u32::try_from(self.server_started_at).unwrap_or(0),
        }
    }
}

#[cfg(test)]
impl StoredRange {
    /// A range of some partition.
    pub(super) fn example(first: i64, next: i64) -> Self {
        let tables = Identity {
            table: String::new(),
            own: String::new(),
        };
        let run = Run {
            at: 0,
            server_started_at: 0,
            tables,
        };
        run.stored("t", 0, first, next)
    }

    pub(super) fn next_offset(&self) -> u64 {
        self.next_offset
    }
}

/// A range that a run has inserted; `next` is 0 if none of it can be relied on.
#[derive(Clone, Copy, Debug, Row, Deserialize)]
struct Range {
    partition: i32,
    first_offset: u64,
    next_offset: u64,
    /// It is about the present table, not about the one that a backup was made of.
    is_here: bool,
}

#[derive(Row, Deserialize)]
struct Start {
    partition: i32,
    first_offset: u64,
}

/// A table with details is known by both: if either was made anew, records are to be read again.
const SERVER: &str = "
SELECT toInt64(toUnixTimestamp(now('UTC'))) AS now, now - toInt64(uptime()) AS started_at, hostName() AS host,
    concat(
        toString(anyIf(uuid, name = {table:String})),
        if({details:String} = '', '', concat(' ', toString(anyIf(uuid, name = {details:String}))))) AS table_id,
    toString(anyIf(uuid, name = 'sink_offset')) AS own_id,
    toString(anyIf(uuid, name = 'sink_start')) AS start_id
FROM system.tables WHERE database = {database:String} AND name IN ({table:String}, {details:String}, 'sink_offset', 'sink_start')";

/// The ranges of each run. A minute is over 60 s after its start.
///
/// Notes about another table are of use only if `sink_offset` became another one with it, which is what restoring a backup does: those of
/// the table that was the last one there. Once a table was made anew without `sink_offset`, no backup tells what is in it.
const RANGES: &str = "
WITH
    notes AS (
        SELECT partition, run_at, first_offset, next_offset,
            concat(toString(table_id), toString(own_id)) AS table,
            table_id = {table_id:String} AND own_id = {own_id:String} AS is_here,
            own_id != {own_id:String} AS is_backed_up,
            toInt64(toUnixTimestamp(minute)) AS began,
            toInt64(toUnixTimestamp(server_started_at)) AS server
        FROM sink_offset
        WHERE topic = {topic:String}
    ),
    (
        SELECT tuple(
            arrayPushBack(groupUniqArray(server), {started_at:Int64}),
            argMaxIf(table, (began, run_at), is_backed_up),
            countIf(NOT is_here AND NOT is_backed_up) > 0)
        FROM notes
    ) AS known,
    known.1 AS starts, known.2 AS backed_up, known.3 AS is_remade,
    judged AS (
        SELECT *, if(is_here, server, 0) AS lifetime,
            server > 0 AND arrayExists(start -> start > server + {jitter:Int64} AND start < began + 60, starts) AS is_overtaken
        FROM notes
        WHERE is_here OR (NOT is_remade AND table = backed_up)
    ),
    (
        SELECT groupArray((lifetime, last))
        FROM (SELECT lifetime, max(began) AS last FROM judged WHERE NOT is_overtaken GROUP BY lifetime)
    ) AS last_notes
SELECT partition, first_offset, max(if(is_reliable, next_offset, 0)) AS next_offset, is_here
FROM (
    SELECT partition, run_at, first_offset, next_offset, is_here,
        is_here AND abs(server - {started_at:Int64}) <= {jitter:Int64} AS is_of_this_start,
        arrayMax(of -> if(abs(of.1 - lifetime) <= {jitter:Int64}, of.2, 0), last_notes) AS last,
        NOT is_overtaken AND (is_of_this_start OR began + 60 <= last - {reread:Int64}) AS is_reliable
    FROM judged
)
GROUP BY partition, run_at, first_offset, is_here";

/// A start that is about another table counts only if it came with this one from a backup, so not if a table was made anew since.
const STARTS: &str = "
SELECT partition, first_offset
FROM sink_start FINAL
WHERE topic = {topic:String} AND (
    table_id IN ('', {table_id:String})
    OR (own_id != {start_id:String} AND (
        SELECT countIf(own_id = {own_id:String} AND table_id != {table_id:String})
        FROM sink_offset
        WHERE topic = {topic:String}) = 0))";

impl Stored {
    pub(super) fn new<T: Table>(config: &Config, runtime: Handle) -> Self {
        Self {
            client: insert_client(&config.clickhouse, REQUEST),
            database: config.clickhouse.database.clone(),
            table: T::NAME,
            details: T::DETAILS,
            topic: T::Record::topic(),
            reread: Duration::from_millis(config.sink.reread_ms),
            runtime,
            seen: Arc::default(),
        }
    }

    /// What is stored now. Waits for the answer.
    pub(super) fn held(&self) -> Result<Held, NotKnown> {
        self.runtime.block_on(self.ask()).map_err(|error| {
            let Failure { class, error } = error.into();
            match class {
                Class::Transient => NotKnown::Yet(error),
                Class::Fatal | Class::PoisonRow => NotKnown::NeedsOperator(error),
            }
        })
    }

    async fn ask(&self) -> Result<Held> {
        let server = in_time(self.server()).await?;
        let started_at = self.see(&server);
        let reread = i64::try_from(self.reread.as_secs()).unwrap_or(i64::MAX);
        let about_tables = |statement: &str| {
            let query = self.client.query_raw(statement).param("topic", self.topic);
            query
                .param("table_id", &server.table_id)
                .param("own_id", &server.own_id)
        };
        let ranges = about_tables(RANGES)
            .param("started_at", started_at)
            .param("jitter", i64::try_from(JITTER_S).unwrap_or(i64::MAX))
            .param("reread", reread)
            .fetch_all::<Range>();
        let ranges = in_time(ranges).await?;
        let starts = about_tables(STARTS).param("start_id", &server.start_id);
        let starts = in_time(starts.fetch_all::<Start>()).await?;
        Ok(Held {
            run: Run {
                at: u32::try_from(server.now).unwrap_or(u32::MAX),
                server_started_at: started_at,
                tables: server.identity(),
            },
            up_to: contiguous(ranges),
            start: starts
                .into_iter()
                .map(|start| (start.partition, signed(start.first_offset)))
                .collect(),
        })
    }

    async fn server(&self) -> Result<Server> {
        let query = self.client.query_raw(SERVER);
        let query = query.param("table", self.table).param("database", &self.database);
        let query = query.param("details", self.details.unwrap_or_default());
        query.fetch_one::<Server>().await
    }

    /// Notes the server; returns the start that counts.
    fn see(&self, server: &Server) -> i64 {
        let mut seen = self.seen();
        seen.started_at.insert(server.host.clone(), server.started_at);
        seen.identities.insert(server.identity());
        seen.last_start().unwrap_or(server.started_at)
    }

    fn is_new(&self, server: &Server) -> bool {
        self.seen().is_new(server)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        // A poisoned lock does no harm: a server that was not noted is only asked about again.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets `is_outdated` when [`held`](Self::held) would give another answer, because the server or a table is not the same, or when
    /// it could not be asked before and now can. Ends with `ended`.
    pub(super) fn watch(&self, is_outdated: Arc<Outdated>, mut ended: watch::Receiver<bool>) {
        let this = self.clone();
        self.runtime.spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = ended.wait_for(|ended| *ended) => return,
                }
                // While it does not answer, inserts fail, too, and say so.
                if let Ok(server) = in_time(this.server()).await
                    && (is_outdated.is_unknown.load(Ordering::Acquire) || this.is_new(&server))
                {
                    is_outdated.is_outdated.store(true, Ordering::Release);
                }
            }
        });
    }
}

/// Whether what was learnt about ClickHouse still holds.
#[derive(Debug, Default)]
pub(super) struct Outdated {
    /// It could not be asked.
    pub(super) is_unknown: AtomicBool,
    /// Ask again.
    pub(super) is_outdated: AtomicBool,
}

impl Server {
    fn identity(&self) -> Identity {
        Identity {
            table: self.table_id.clone(),
            own: self.own_id.clone(),
        }
    }
}

/// The end of the contiguous ranges from the first one on, by partition. What a backup knows counts for partitions of which nothing is
/// known since then.
fn contiguous(mut ranges: Vec<Range>) -> Offsets {
    let here: BTreeSet<i32> = ranges
        .iter()
        .filter(|range| range.is_here)
        .map(|range| range.partition)
        .collect();
    ranges.retain(|range| range.is_here || !here.contains(&range.partition));
    ranges.sort_unstable_by_key(|range| (range.partition, range.first_offset));
    let mut reached: BTreeMap<i32, u64> = BTreeMap::new();
    for range in ranges {
        let end = reached.entry(range.partition).or_insert(range.first_offset);
        if range.first_offset <= *end {
            *end = range.next_offset.max(*end);
        }
    }
    reached
        .into_iter()
        .map(|(partition, end)| (partition, signed(end)))
        .collect()
}

/// Where to begin: at the committed offset, or earlier if ClickHouse does not hold everything before it, but not before `start`.
pub(super) fn first_to_read(committed: Option<i64>, held: Option<i64>, start: i64) -> i64 {
    committed.unwrap_or(0).min(held.unwrap_or(0)).max(start)
}

fn signed(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

async fn in_time<T>(request: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(REQUEST, request)
        .await
        .unwrap_or(Err(Error::TimedOut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_ends_at_the_first_gap() {
        for (name, ranges, end) in [
            ("one run", vec![(0, 9)], Some(9)),
            ("the next begins where it ended", vec![(0, 9), (9, 12)], Some(12)),
            ("read twice", vec![(0, 9), (4, 7), (5, 12)], Some(12)),
            (
                "one that is inside of another",
                vec![(0, 20), (3, 9), (20, 22)],
                Some(22),
            ),
            ("a gap", vec![(0, 9), (10, 12)], Some(9)),
            ("a gap that was read again", vec![(0, 9), (9, 11), (10, 12)], Some(12)),
            ("the end is not certain", vec![(0, 9), (9, 0)], Some(9)),
            ("nothing is certain", vec![(0, 0)], Some(0)),
            ("it began later than the topic", vec![(700, 900)], Some(900)),
            ("nothing", vec![], None),
        ] {
            let ranges = ranges.into_iter().rev().map(|(first_offset, next_offset)| Range {
                partition: 3,
                first_offset,
                next_offset,
                is_here: true,
            });
            assert_eq!(contiguous(ranges.collect()).get(&3).copied(), end, "{name}");
        }
    }

    #[test]
    fn what_a_backup_knows_counts_where_nothing_else_is_known() {
        let range = |partition, first_offset, next_offset, is_here| Range {
            partition,
            first_offset,
            next_offset,
            is_here,
        };
        let ranges = vec![
            range(0, 0, 500, false),
            range(1, 0, 500, false),
            // Since the backup was restored, from where it ended. Nothing of it is certain.
            range(1, 400, 0, true),
        ];
        assert_eq!(contiguous(ranges), Offsets::from([(0, 500), (1, 400)]));
    }

    #[test]
    fn a_server_that_was_restarted_is_noticed_whatever_its_clock_says() {
        let server = |host: &str, started_at, table: &str| Server {
            now: 0,
            started_at,
            host: host.to_owned(),
            table_id: table.to_owned(),
            own_id: "o".to_owned(),
            start_id: "s".to_owned(),
        };
        let mut seen = Seen::default();
        assert!(seen.is_new(&server("a", 1_000, "t")), "the first one");
        for replica in [server("a", 1_000, "t"), server("b", 5_000, "u")] {
            seen.started_at.insert(replica.host.clone(), replica.started_at);
            seen.identities.insert(replica.identity());
        }
        for (name, host, started_at, table, expected) in [
            ("the same", "a", 1_001, "t", false),
            ("the other replica", "b", 4_999, "u", false),
            ("restarted", "a", 9_000, "t", true),
            ("restarted, and the clock was set back", "b", 2_000, "u", true),
            ("a third replica", "c", 900, "t", false),
            ("a new container", "d", 9_000, "t", true),
            ("another table", "a", 1_000, "v", true),
        ] {
            assert_eq!(seen.is_new(&server(host, started_at, table)), expected, "{name}");
        }
    }

    #[test]
    fn reading_begins_where_something_may_be_missing() {
        for (name, committed, held, start, first) in [
            ("everything is there", Some(9), Some(9), 0, 9),
            ("inserted and not committed", Some(9), Some(12), 0, 9),
            ("committed and not there", Some(9), Some(4), 0, 4),
            ("a new group", None, Some(9), 0, 0),
            ("a new database", Some(9), None, 0, 0),
            ("a new installation", None, None, 0, 0),
            ("better rows are there", Some(9), Some(2), 6, 6),
            ("reset to the beginning, better rows are there", Some(0), Some(9), 6, 6),
        ] {
            assert_eq!(first_to_read(committed, held, start), first, "{name}");
        }
    }

    proptest::proptest! {
        /// Whatever the ranges are: no record before the end is outside of all of them, and the record at the end is in none.
        #[test]
        fn nothing_that_is_missing_counts_as_stored(
            ranges in proptest::collection::vec((0_u64..40, 0_u64..40), 1..12)
        ) {
            let covers = |offset: u64| ranges.iter().any(|(first, next)| (*first..*next).contains(&offset));
            let first = ranges.iter().map(|(first, _)| *first).min().unwrap();
            let as_ranges = ranges.iter().map(|(first_offset, next_offset)| Range {
                partition: 0,
                first_offset: *first_offset,
                next_offset: *next_offset,
                is_here: true,
            });
            let end = u64::try_from(contiguous(as_ranges.collect())[&0]).unwrap();
            assert!((first..end).all(covers));
            assert!(!covers(end));
        }
    }
}
