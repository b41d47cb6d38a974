-- carrier_trend for programs that cannot give parameters to a view.

CREATE OR REPLACE VIEW {database}.carrier_by_day
(
    `cohort_date`       Date                   COMMENT 'Day of the pickup, China time',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up that day, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up that day and CANCELLED since; in no other column',
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
        WHERE daily.level = 'carrier'
        GROUP BY cohort_date, carrier
    )
SELECT
    cohort_date,
    carrier,
    {formula:carrier_figures}
FROM total
ORDER BY cohort_date DESC, carrier
COMMENT 'How does each carrier develop? carrier_scorecard by pickup day, of all vendors and lanes. No parameters';
