//! The loop of subscriptions, seen from outside: waits until the world of `simulator serve` is over and everything that it told has
//! arrived, then compares the vendors' books with what the tables of courierflow say.
//!
//! | room | what | I/O |
//! |---|---|---|
//! | `books` | the vendors' ledger, and which of the lost pushes should have been noticed | asks the vendors |
//! | `tables` | what courierflow knows about the parcels that were asked for | asks `ClickHouse` |
//! | `render` | the report as text | no |

mod books;
mod render;
mod tables;

use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;

use self::books::{Books, Clock, LostPushes};
use self::tables::{Moving, Tables};
use super::clock::{DAY, Seconds};
use super::report::{ClickHouse, ClickHouseArguments};

/// How far the vendors' clock may be behind the real one when it has caught up.
const CAUGHT_UP: Seconds = 60;
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Whose books are compared with which tables.
#[derive(Clone, Debug, Args)]
pub struct FollowArguments {
    /// Where `simulator serve` listens
    #[arg(long, default_value = "http://127.0.0.1:8090")]
    vendor_url: String,
    #[command(flatten)]
    clickhouse: ClickHouseArguments,
    /// Only parcels that were asked for since then, such as 2026-08-09T12:00:00Z
    #[arg(long)]
    since: jiff::Timestamp,
    /// Everything has arrived when nothing has changed for so many seconds
    #[arg(long, default_value_t = 4)]
    quiet: u64,
    /// Seconds to wait for that after the end of the vendors' world
    #[arg(long, default_value_t = 60)]
    patience: u64,
    /// Wait until queries have found every lost push that no later one tells again
    #[arg(long)]
    find_lost: bool,
    /// Fail if they have not
    #[arg(long, requires = "find_lost")]
    strict: bool,
}

/// What both sides say when everything has arrived.
#[derive(Debug)]
pub struct LoopReport {
    books: Books,
    tables: Tables,
    lost: LostPushes,
    strict: bool,
}

impl LoopReport {
    /// Waits for the end, then looks. `on_wait` is told how far it is.
    pub async fn gather(arguments: &FollowArguments, mut on_wait: impl FnMut(&str)) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let clickhouse = ClickHouse::of(&arguments.clickhouse)?;
        let end = wait_for_the_end(&client, &clickhouse, arguments, &mut on_wait).await?;
        wait_until_quiet(&clickhouse, arguments, &mut on_wait).await?;
        let quiet_since = Instant::now();
        loop {
            let books = Books::of(&client, &arguments.vendor_url, "").await?;
            let tables = Tables::gather(&clickhouse, arguments.since).await?;
            let lost = books.lost_pushes(&tables.known, end - DAY);
            let is_found = !arguments.find_lost || lost.missing.is_empty();
            if is_found || quiet_since.elapsed() > Duration::from_secs(arguments.patience) {
                let strict = arguments.strict;
                return Ok(Self {
                    books,
                    tables,
                    lost,
                    strict,
                });
            }
            on_wait(&format!("{} lost pushes are still to be found", lost.missing.len()));
            pause(&clickhouse, arguments).await?;
        }
    }
}

/// Queries about silent parcels are planned from `open_parcel`, which is otherwise filled every five minutes: weeks of the vendors.
async fn pause(clickhouse: &ClickHouse, arguments: &FollowArguments) -> anyhow::Result<()> {
    if arguments.find_lost {
        clickhouse.begin_refresh("open_parcel").await?;
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

/// The simulated time runs until it is the real one, and what was due then is sent. Returns that time.
async fn wait_for_the_end(
    client: &reqwest::Client,
    clickhouse: &ClickHouse,
    arguments: &FollowArguments,
    on_wait: &mut impl FnMut(&str),
) -> anyhow::Result<Seconds> {
    let vendor_url = arguments.vendor_url.as_str();
    loop {
        let clock = Clock::of(client, vendor_url).await?;
        let behind = jiff::Timestamp::now().as_second() - clock.now.as_second();
        let books = Books::of(client, vendor_url, "?totals").await?;
        if behind <= CAUGHT_UP && books.idle {
            return Ok(clock.now.as_second());
        }
        if behind > CAUGHT_UP && clock.speed <= 1.0 {
            bail!(
                "the vendors' clock shows {} and does not catch up: its speed is {}",
                clock.now,
                clock.speed
            );
        }
        on_wait(&format!(
            "the vendors' clock shows {}: {} parcels followed, {} pushes answered",
            clock.now.strftime("%m-%d %H:%M"),
            books.active,
            books.total.pushes_answered
        ));
        pause(clickhouse, arguments).await?;
    }
}

/// Every parcel that was asked for has its row, and nothing moves any more.
async fn wait_until_quiet(
    clickhouse: &ClickHouse,
    arguments: &FollowArguments,
    on_wait: &mut impl FnMut(&str),
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut last = Moving::default();
    let mut quiet_since = Instant::now();
    loop {
        let moving = Moving::look(clickhouse, arguments.since).await?;
        if moving != last {
            quiet_since = Instant::now();
            last = moving;
        }
        if last.calling == 0 && quiet_since.elapsed() >= Duration::from_secs(arguments.quiet) {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(arguments.patience) {
            bail!(
                "the tables have not come to rest within {} s: {} subscriptions, {} of them about to be asked for. Is the processor \
                 running? Its log and its metrics say how far behind it is.",
                arguments.patience,
                last.subscriptions,
                last.calling
            );
        }
        on_wait(&format!("waiting for ClickHouse: {} subscriptions", last.subscriptions));
        pause(clickhouse, arguments).await?;
    }
}
