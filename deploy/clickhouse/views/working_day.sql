-- The calendar with all its days. Figures take it as two lists (working_day_counts and working_day_list in formulas.sql).
CREATE OR REPLACE VIEW {database}.working_day
(
    `country`    LowCardinality(String) COMMENT 'Country, ISO 3166 alpha-2: CN, and every one of table calendar',
    `date`       Date                   COMMENT 'Day in that country: every one that a Date can be',
    `is_working` Bool                   COMMENT 'Whether it is worked: as the calendar says, else Monday to Friday',
    `name`       String                 COMMENT 'Name of the holiday, or of the one that it is worked for; empty = an ordinary day'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT ordinary.country AS country, ordinary.date AS date, toBool(toDayOfWeek(ordinary.date) <= 5) AS is_working, '' AS name
FROM
(
    SELECT
        arrayJoin((SELECT arrayDistinct(arrayPushFront(groupUniqArray(toString(country)), 'CN')) FROM {database}.calendar)) AS country,
        toDate(number) AS date
    FROM numbers(65536)
) AS ordinary
WHERE (ordinary.country, ordinary.date) NOT IN (SELECT told.country, told.date FROM {database}.calendar AS told)
UNION ALL
SELECT country, date, is_working, name
FROM {database}.calendar
COMMENT 'Which days are worked? One row per country and day';
