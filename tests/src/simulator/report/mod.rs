//! What came out: asks `ClickHouse` for a carrier table, the way a user would.

mod clickhouse;
mod exceptions;
mod render;

pub use clickhouse::{ClickHouse, ClickHouseArguments, wait_until_caught_up};

use serde::Deserialize;

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
}
