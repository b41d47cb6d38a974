-- A row for each day. A recent day may have a NULL or a worse figure, but not a better one because it is recent. Exceptions: the
-- rates of promises, while is_on_time_mature or is_lost_mature is false, and deliveries that may still be revoked by a later
-- one.
CREATE OR REPLACE VIEW {database}.carrier_trend
(
    `cohort_date`                 Date                   COMMENT 'Day of the pickup, China time',
    `carrier`                     LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`                     UInt64                 COMMENT 'Size of the cohort: parcels picked up that day, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`                   UInt64                 COMMENT 'Parcels picked up that day and CANCELLED since; in no other column',
    {columns:carrier_figures}
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    {formula:mean_hours},
    total AS
    (
        SELECT
            daily.cohort_date AS cohort_date,
            daily.carrier AS carrier,
            {formula:carrier_sums}
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = {expression:asked_level} AND {expression:is_asked}
        GROUP BY cohort_date, carrier
    )
SELECT
    cohort_date,
    carrier,
    {formula:carrier_figures}
FROM total
ORDER BY carrier, cohort_date
COMMENT 'How does a carrier develop? carrier_scorecard by pickup day';
