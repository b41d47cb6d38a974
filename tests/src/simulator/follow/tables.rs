//! What courierflow says about the parcels that were asked for, from its tables.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::simulator::clock::Seconds;
use crate::simulator::report::ClickHouse;

/// Parcels in one state.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct StateRow {
    pub(super) state: String,
    pub(super) reason: String,
    pub(super) code: String,
    pub(super) parcels: u64,
    /// Subscriptions after the first one.
    pub(super) resubscribed: u64,
}

/// Calls of the vendors.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Calls {
    pub(super) subscriptions: u64,
    pub(super) unanswered: u64,
    pub(super) queries: u64,
    /// Calls from before the first request.
    pub(super) older: u64,
}

/// What is known of a parcel.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Times of all events, seconds UTC.
    pub(super) at: BTreeSet<Seconds>,
    /// Times of those that a push told first.
    pub(super) by_push: BTreeSet<Seconds>,
}

/// Everything that the report needs.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) states: Vec<StateRow>,
    pub(super) calls: Calls,
    /// Of each number.
    pub(super) accepted: BTreeMap<String, Accepted>,
    /// By tracking number.
    pub(super) known: BTreeMap<String, Known>,
    /// Events that a query told first.
    pub(super) told_by_queries: u64,
    /// Changes that were taken back although no vendor has rewritten a history.
    pub(super) retracted: u64,
    /// `vendor_cost`, of all calls that there are.
    pub(super) units: u64,
}

/// Subscriptions of a number as courierflow knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// Those that were accepted, corrections by the vendor included.
    pub(super) known: u64,
    /// Calls without an answer to a vendor that accepts again what it has: it may have accepted each of them.
    pub(super) doubtful: u64,
    /// Of those that are known, how many may be calls without an answer, which are counted when nobody will learn their answers.
    pub(super) supposed: u64,
}

impl Accepted {
    /// Whether it may be what a vendor has accepted, which began `corrected` more by itself. Courierflow knows of these only if their
    /// pushes were not lost.
    pub(super) const fn agrees_with(self, accepted: u64, corrected: u64) -> bool {
        let Self {
            known,
            doubtful,
            supposed,
        } = self;
        accepted <= known + doubtful && known <= accepted + corrected + supposed
    }
}

/// What still changes while something is under way.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub(super) struct Moving {
    pub(super) subscriptions: u64,
    /// Those about to be asked for, now or soon.
    pub(super) calling: u64,
    newest_subscription: u64,
    newest_shipment: u64,
}

impl Moving {
    pub(super) async fn look(clickhouse: &ClickHouse, since: jiff::Timestamp) -> anyhow::Result<Self> {
        let asked = asked(since);
        let sql = format!(
            "SELECT (SELECT count() FROM {asked}) AS subscriptions,
                    (SELECT countIf(state IN ('REQUESTED', 'CALLING')
                            OR state = 'WAITING' AND not_before < now() + INTERVAL 1 MINUTE) FROM {asked}) AS calling,
                    (SELECT max(version) FROM courier.subscription) AS newest_subscription,
                    (SELECT max(version) FROM courier.shipment) AS newest_shipment"
        );
        clickhouse.one(&sql).await
    }
}

impl Tables {
    pub(super) async fn gather(clickhouse: &ClickHouse, since: jiff::Timestamp) -> anyhow::Result<Self> {
        let asked = asked(since);
        let its_numbers = format!("tracking_number IN (SELECT tracking_number FROM {asked})");
        let micros = since.as_microsecond();
        let states = format!(
            "SELECT state, ifNull(reason, '') AS reason, ifNull(code, '') AS code, count() AS parcels,
                    sum(greatest(toInt64(round) - 1, 0)) AS resubscribed
             FROM {asked} GROUP BY state, reason, code ORDER BY parcels DESC, state, reason, code"
        );
        let calls = format!(
            "SELECT countIf(is_ours AND kind = 'SUBSCRIBE') AS subscriptions,
                    countIf(is_ours AND kind = 'SUBSCRIBE' AND class = 'UNKNOWN') AS unanswered,
                    countIf(is_ours AND kind = 'QUERY') AS queries,
                    countIf(NOT is_ours) AS older
             FROM (SELECT kind, class, started_at >= fromUnixTimestamp64Micro({micros}) AS is_ours FROM courier.vendor_call FINAL)"
        );
        Ok(Self {
            states: clickhouse.rows(&states).await?,
            calls: clickhouse.one(&calls).await?,
            accepted: accepted(clickhouse, &asked).await?,
            known: known(clickhouse, &its_numbers).await?,
            told_by_queries: count(
                clickhouse,
                &format!(
                    "SELECT count() AS count FROM courier.shipment FINAL ARRAY JOIN event.origin AS told_by
                     WHERE told_by = 'QUERY' AND {its_numbers}"
                ),
            )
            .await?,
            retracted: count(clickhouse, &retracted_sql(&its_numbers)).await?,
            units: count(
                clickhouse,
                "SELECT ifNull(sum(units), 0) AS count FROM courier.vendor_cost",
            )
            .await?,
        })
    }
}

/// The subscriptions that were asked for since then.
fn asked(since: jiff::Timestamp) -> String {
    let micros = since.as_microsecond();
    format!("(SELECT * FROM courier.subscription FINAL WHERE requested_at >= fromUnixTimestamp64Micro({micros}))")
}

/// Changes that were taken back although their line is still among the vendor's: at their time there is no event any more. The codes are
/// those of a clock that runs out, which vendors take back themselves.
fn retracted_sql(its_numbers: &str) -> String {
    format!(
        "SELECT count() AS count FROM
         (
             SELECT DISTINCT tracking_number, occurred_at FROM courier.transition
             WHERE is_deleted AND {its_numbers} AND ifNull(raw_code, '') NOT IN ('201', '202', '205', '402', '403', '412')
         )
         WHERE (tracking_number, occurred_at) NOT IN
             (SELECT tracking_number, at FROM courier.shipment FINAL ARRAY JOIN event.occurred_at AS at WHERE {its_numbers})"
    )
}

async fn accepted(clickhouse: &ClickHouse, asked: &str) -> anyhow::Result<BTreeMap<String, Accepted>> {
    #[derive(Deserialize)]
    struct Row {
        tracking_number: String,
        known: u64,
        doubtful: u64,
        supposed: u64,
    }
    let rows: Vec<Row> = clickhouse
        .rows(&format!(
            "SELECT tracking_number, sum(arraySum(calls.accepted)) AS known, any(unanswered.of_kdniao) AS doubtful,
                 countIf(state IN ('FALLBACK', 'ENDED', 'REJECTED', 'EXPIRED', 'CANCELLED') AND unanswered.number > 0) AS supposed
             FROM {asked} AS subscription LEFT JOIN
             (
                 SELECT tracking_number, count() AS number, countIf(vendor = 'kdniao') AS of_kdniao FROM courier.vendor_call FINAL
                 WHERE kind = 'SUBSCRIBE' AND class = 'UNKNOWN' GROUP BY tracking_number
             ) AS unanswered USING tracking_number
             GROUP BY tracking_number"
        ))
        .await?;
    let accepted = rows.into_iter().map(|row| {
        let Row {
            tracking_number,
            known,
            doubtful,
            supposed,
        } = row;
        let accepted = Accepted {
            known,
            doubtful,
            supposed,
        };
        (tracking_number, accepted)
    });
    Ok(accepted.collect())
}

async fn known(clickhouse: &ClickHouse, its_numbers: &str) -> anyhow::Result<BTreeMap<String, Known>> {
    #[derive(Deserialize)]
    struct Row {
        tracking_number: String,
        at: BTreeSet<Seconds>,
        by_push: BTreeSet<Seconds>,
    }
    let rows: Vec<Row> = clickhouse
        .rows(&format!(
            "SELECT tracking_number, groupUniqArray(toUnixTimestamp(occurred_at)) AS at,
                    groupUniqArrayIf(toUnixTimestamp(occurred_at), told_by = 'PUSH') AS by_push
             FROM courier.shipment FINAL ARRAY JOIN event.occurred_at AS occurred_at, event.origin AS told_by
             WHERE {its_numbers} GROUP BY tracking_number"
        ))
        .await?;
    let known = rows.into_iter().map(|row| {
        (
            row.tracking_number,
            Known {
                at: row.at,
                by_push: row.by_push,
            },
        )
    });
    Ok(known.collect())
}

async fn count(clickhouse: &ClickHouse, sql: &str) -> anyhow::Result<u64> {
    #[derive(Deserialize)]
    struct Row {
        count: u64,
    }
    Ok(clickhouse.one::<Row>(sql).await?.count)
}

#[cfg(test)]
mod tests {
    use super::Accepted;

    #[test]
    fn what_is_not_known_explains_a_difference_and_nothing_else_does() {
        // Known, doubtful, supposed; accepted, corrected.
        let cases = [
            ((2, 0, 0), (2, 0), true),
            ((2, 0, 0), (1, 0), false),
            ((2, 0, 0), (3, 0), false),
            // An answer was lost after the vendor accepted.
            ((1, 1, 0), (2, 0), true),
            ((1, 1, 0), (3, 0), false),
            // It had not accepted, and the call was counted when it was given up.
            ((1, 1, 1), (0, 0), true),
            ((1, 1, 0), (0, 0), false),
            ((2, 1, 1), (0, 0), false),
            // The vendor went on with another carrier; its push came, or was lost.
            ((2, 0, 0), (1, 1), true),
            ((1, 0, 0), (1, 1), true),
            ((3, 0, 0), (1, 1), false),
        ];
        for ((known, doubtful, supposed), (accepted, corrected), expected) in cases {
            let ours = Accepted {
                known,
                doubtful,
                supposed,
            };
            assert_eq!(
                ours.agrees_with(accepted, corrected),
                expected,
                "{ours:?}: {accepted}, {corrected}"
            );
        }
    }
}
