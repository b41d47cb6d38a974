CREATE OR REPLACE VIEW {database}.carrier_by_month
(
    `cohort_month`      Date                   COMMENT 'First day of the month of the pickup, China time. The month that has not ended is here, too',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up that month, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up that month and CANCELLED since; in no other column',
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
            toStartOfMonth(daily.cohort_date) AS cohort_month,
            daily.carrier AS carrier,
            {formula:carrier_sums}
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_month, carrier
    )
SELECT
    cohort_month,
    carrier,
    {formula:carrier_figures}
FROM total
ORDER BY cohort_month DESC, carrier
COMMENT 'How does each carrier develop? carrier_scorecard by pickup month, of all vendors and lanes. No parameters';
