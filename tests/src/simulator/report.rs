//! What came out: asks `ClickHouse` for a carrier table, the way a user would.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::carriers::{CARRIERS, Carrier};
use super::steps::EXCEPTIONS;
use super::world::CROSS_BORDER;
use crate::measures::REFRESHED;

/// One row a carrier.
///
/// A percentile is one of the *cohort*: every parcel picked up at least ten days ago, delivered or not. What is not
/// delivered counts as infinitely late, so a percentile exists only if that share of the cohort was delivered; one over
/// the delivered parcels alone would flatter the carrier that loses most. Quantile q is the element at `ceil(q * n)` of the sorted
/// times. Durations below zero or over 180 days say that a time is wrong; they are left out.
pub const CARRIERS_SQL: &str = "\
WITH arraySort(groupArrayIf(assumeNotNull(hours), mature AND hours IS NOT NULL)) AS sorted
SELECT carrier,
       count() AS parcels,
       countIf(picked_up_at IS NOT NULL) AS picked_up,
       countIf(picked_up_at IS NOT NULL AND delivered_at IS NOT NULL) AS delivered,
       length(sorted) AS cohort,
       sorted[toUInt32(ceil(0.5 * cohort))] AS median_hours,
       sorted[toUInt32(ceil(0.9 * cohort))] AS p90_hours,
       countIf(picked_up_at IS NOT NULL AND notEmpty(exception_reasons)) AS with_exception,
       countIf(picked_up_at IS NOT NULL AND returning_at IS NOT NULL) AS returned,
       countIf(picked_up_at IS NOT NULL AND available_at IS NOT NULL) AS in_locker
FROM
(
    SELECT *,
           picked_up_at < now() - INTERVAL 10 DAY AS mature,
           dateDiff('second', picked_up_at, delivered_at) / 3600 AS elapsed,
           multiIf(delivered_at IS NULL, inf, elapsed < 0 OR elapsed > 4320, NULL, elapsed) AS hours
    FROM courier.shipment FINAL
    WHERE tracking_state != 'CARRIER_CORRECTED' AND status != 'CANCELLED'
)
GROUP BY carrier
ORDER BY parcels DESC, carrier";

/// One row a carrier and exception code: how many of the parcels picked up have met it.
pub const CODES_SQL: &str = "\
SELECT carrier, code, count() AS parcels
FROM courier.shipment FINAL
ARRAY JOIN exception_codes AS code
WHERE tracking_state != 'CARRIER_CORRECTED' AND status != 'CANCELLED' AND picked_up_at IS NOT NULL
GROUP BY carrier, code
ORDER BY carrier, parcels DESC, code";

/// One row: what else there is to see.
pub const TOTALS_SQL: &str = "\
SELECT (SELECT count() FROM courier.push FINAL) AS push_events,
       (SELECT count() FROM courier.shipment FINAL) AS shipments,
       (SELECT count() FROM courier.transition FINAL) AS transitions,
       (SELECT countIf(verdict = 'ANOMALY') FROM courier.transition FINAL) AS anomalies,
       (SELECT countIf(status IN ('PICKED_UP', 'IN_TRANSIT') AND last_event_at < now() - INTERVAL 48 HOUR
                       AND tracking_state = 'ACTIVE') FROM courier.shipment FINAL) AS stalled,
       (SELECT countIf(tracking_state = 'CARRIER_CORRECTED') FROM courier.shipment FINAL) AS corrected";

/// A row of [`CARRIERS_SQL`].
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[expect(missing_docs, reason = "the columns of CARRIERS_SQL")]
pub struct CarrierRow {
    pub carrier: String,
    pub parcels: u64,
    pub picked_up: u64,
    pub delivered: u64,
    pub cohort: u64,
    /// None: not reached.
    pub median_hours: Option<f64>,
    /// None: not reached.
    pub p90_hours: Option<f64>,
    pub with_exception: u64,
    pub returned: u64,
    pub in_locker: u64,
}

/// A row of [`CODES_SQL`].
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[expect(missing_docs, reason = "the columns of CODES_SQL")]
pub struct CodeRow {
    pub carrier: String,
    pub code: String,
    pub parcels: u64,
}

/// The row of [`TOTALS_SQL`].
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[expect(missing_docs, reason = "the columns of TOTALS_SQL")]
pub struct Totals {
    pub push_events: u64,
    pub shipments: u64,
    pub transitions: u64,
    pub anomalies: u64,
    pub stalled: u64,
    pub corrected: u64,
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

    async fn one<Row: DeserializeOwned>(&self, sql: &str) -> anyhow::Result<Row> {
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

/// Everything that the report is made of.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// One a carrier.
    pub carriers: Vec<CarrierRow>,
    /// One a carrier and code.
    pub codes: Vec<CodeRow>,
    /// Sums.
    pub totals: Totals,
}

impl Findings {
    /// Asks `ClickHouse`.
    pub async fn gather(clickhouse: &ClickHouse) -> anyhow::Result<Self> {
        Ok(Self {
            carriers: clickhouse.rows(CARRIERS_SQL).await?,
            codes: clickhouse.rows(CODES_SQL).await?,
            totals: clickhouse.one(TOTALS_SQL).await?,
        })
    }

    /// The carrier table and what is remarkable about it, for a terminal.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let columns = [
            "carrier",
            "parcels",
            "picked up",
            "delivered",
            "median h",
            "p90 h",
            "exception",
            "most frequent codes",
        ];
        let mut lines = vec![columns.map(str::to_owned)];
        let mut shown = BTreeSet::new();
        for row in &self.carriers {
            let name = known(&row.carrier).map_or(String::new(), |carrier| format!(" {}", carrier.name));
            let codes = self.top_codes(row);
            shown.extend(codes.iter().map(|(code, _)| *code));
            let codes: Vec<_> = codes.iter().map(|(code, share)| format!("{code} {share}")).collect();
            lines.push([
                format!("{}{name}", row.carrier),
                row.parcels.to_string(),
                row.picked_up.to_string(),
                row.delivered.to_string(),
                quantile(row.median_hours, row.cohort, 10),
                quantile(row.p90_hours, row.cohort, 50),
                percent(row.with_exception, row.picked_up),
                codes.join(", "),
            ]);
        }
        write_table(&mut text, &lines);
        text.push_str(
            "\n  median, p90: hours from pick-up to delivery, over all parcels picked up at least 10 days ago; one that is not\n  \
             delivered counts as infinitely late. exception, codes: share of the parcels picked up. \"-\": too few to tell.\n",
        );
        for exception in EXCEPTIONS
            .iter()
            .filter(|exception| exception.codes.iter().any(|code| shown.contains(code)))
        {
            let [own, kdniao @ ..] = exception.codes else { continue };
            let kdniao = kdniao.first().map_or(String::new(), |code| format!(" (Kdniao {code})"));
            let _ = writeln!(text, "  {own}{kdniao} {}: {}", exception.name, exception.meaning);
        }
        text.push('\n');
        for finding in self.remarkable() {
            let _ = writeln!(text, "  * {finding}");
        }
        text
    }

    /// The three most frequent exceptions of a carrier, by the code that stands for those of all vendors, with their
    /// shares.
    fn top_codes<'row>(&'row self, carrier: &CarrierRow) -> Vec<(&'row str, String)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for row in self.codes.iter().filter(|row| row.carrier == carrier.carrier) {
            let exception = EXCEPTIONS
                .iter()
                .find(|exception| exception.codes.contains(&row.code.as_str()));
            let code = exception.and_then(|exception| exception.codes.first().copied());
            *counts.entry(code.unwrap_or(&row.code)).or_default() += row.parcels;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, parcels)| Reverse(*parcels));
        let top = counts.into_iter().take(3);
        top.map(|(code, parcels)| (code, percent(parcels, carrier.picked_up)))
            .collect()
    }

    fn remarkable(&self) -> Vec<String> {
        let mut found = Vec::new();
        let with_median = || {
            self.carriers
                .iter()
                .filter(|row| row.cohort >= 10)
                .filter_map(|row| Some((row, row.median_hours?)))
        };
        let slowest = with_median().max_by(|one, other| one.1.total_cmp(&other.1));
        let fastest = with_median().min_by(|one, other| one.1.total_cmp(&other.1));
        if let Some(((slow, slow_hours), (fast, fast_hours))) =
            slowest.zip(fastest).filter(|(slow, fast)| slow.0 != fast.0)
        {
            found.push(format!(
                "slowest: {}, half of its parcels take more than {slow_hours:.0} h; fastest: {}, {fast_hours:.0} h",
                slow.carrier, fast.carrier
            ));
        }
        let large = || self.carriers.iter().filter(|row| row.picked_up >= 30);
        let share = |part: u64, row: &CarrierRow| part as f64 / row.picked_up.max(1) as f64;
        let most = |part: fn(&CarrierRow) -> u64| {
            large().max_by(|one, other| share(part(one), one).total_cmp(&share(part(other), other)))
        };
        if let Some(row) = most(|row| row.with_exception) {
            found.push(format!(
                "most exceptions: {}, {} of its parcels",
                row.carrier,
                percent(row.with_exception, row.picked_up)
            ));
        }
        if let Some(row) = most(|row| row.returned) {
            let reached = if row.p90_hours.is_none() && row.cohort >= 50 {
                "; its 90th percentile is not reached"
            } else {
                ""
            };
            found.push(format!(
                "most returns: {}, {}{reached}",
                row.carrier,
                percent(row.returned, row.picked_up)
            ));
        }
        if let Some(row) = most(|row| row.in_locker) {
            found.push(format!(
                "lockers and stations: {} leaves {} of its parcels there, which is not a delivery until somebody collects them",
                row.carrier,
                percent(row.in_locker, row.picked_up)
            ));
        }
        let totals = &self.totals;
        if totals.stalled > 0 {
            found.push(format!(
                "{} parcels on their way without a scan for 48 h",
                totals.stalled
            ));
        }
        found.push(format!(
            "{} push events became {} shipments and {} transitions ({} of them anomalies; {} shipments went on under another carrier)",
            totals.push_events, totals.shipments, totals.transitions, totals.anomalies, totals.corrected
        ));
        found
    }
}

fn known(code: &str) -> Option<&'static Carrier> {
    CARRIERS
        .iter()
        .chain([&CROSS_BORDER])
        .find(|carrier| carrier.code == code)
}

/// First column to the left, last one as it comes, numbers to the right.
fn write_table(text: &mut String, lines: &[[String; 8]]) {
    let mut widths = [0; 8];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(columns_of(cell));
        }
    }
    for line in lines {
        for (index, (cell, width)) in line.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width - columns_of(cell));
            let _ = match index {
                0 => write!(text, "  {cell}{padding}"),
                7 => write!(text, "   {cell}"),
                _ => write!(text, "   {padding}{cell}"),
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
}

fn quantile(hours: Option<f64>, cohort: u64, least: u64) -> String {
    match hours {
        _ if cohort < least => "-".to_owned(),
        Some(hours) => format!("{hours:.1}"),
        None => "not reached".to_owned(),
    }
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        "-".to_owned()
    } else {
        format!("{:.1} %", 100.0 * part as f64 / whole as f64)
    }
}

/// Columns of a terminal: Han letters take two.
fn columns_of(text: &str) -> usize {
    text.chars()
        .map(|letter| {
            if ('\u{1100}'..='\u{ffdc}').contains(&letter) {
                2
            } else {
                1
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_not_reached_where_it_is_not() {
        let row = |carrier: &str, p90_hours, returned| CarrierRow {
            carrier: carrier.to_owned(),
            parcels: 120,
            picked_up: 100,
            delivered: 85,
            cohort: 80,
            median_hours: Some(if carrier == "sf" { 24.0 } else { 52.25 }),
            p90_hours,
            with_exception: 13,
            returned,
            in_locker: 5,
        };
        let findings = Findings {
            carriers: vec![row("jt", None, 12), row("sf", Some(40.0), 1)],
            codes: vec![CodeRow {
                carrier: "jt".to_owned(),
                code: "404".to_owned(),
                parcels: 9,
            }],
            totals: Totals::default(),
        };
        let text = findings.render();
        for expected in [
            "jt 极兔       120         100          85       52.2   not reached      13.0 %   203 9.0 %",
            "  203 (Kdniao 404) 拒收: refused",
            "slowest: jt, half of its parcels take more than 52 h; fastest: sf, 24 h",
            "most returns: jt, 12.0 %; its 90th percentile is not reached",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
    }
}
