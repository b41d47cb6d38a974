CREATE OR REPLACE VIEW {database}.carrier_by_week
(
    `cohort_week`       Date                   COMMENT 'Monday of the week of the pickup, China time. The week that has not ended is here, too',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up that week, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up that week and CANCELLED since; in no other column',
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
            toMonday(daily.cohort_date) AS cohort_week,
            daily.carrier AS carrier,
            {formula:carrier_sums}
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_week, carrier
    )
SELECT
    cohort_week,
    carrier,
    {formula:carrier_figures}
FROM total
ORDER BY cohort_week DESC, carrier
COMMENT 'How does each carrier develop? carrier_scorecard by pickup week, of all vendors and lanes. No parameters';
