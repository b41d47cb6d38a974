-- What the pushes leave out, over days of the audits, by vendor and carrier.
WITH
    {formula:share},
    {formula:wilson},
    counted AS
    (
        SELECT
            vendor,
            carrier,
            sum(daily.audited) AS audited,
            sum(daily.with_missed) AS with_missed,
            sum(daily.events) AS events,
            sum(daily.missed) AS missed
        FROM push_completeness AS daily
        WHERE daily.query_date BETWEEN {from:Date} AND {to:Date}
            AND ({vendor:String} = '' OR vendor = {vendor:String})
            AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
        GROUP BY vendor, carrier
    )
SELECT
    vendor, carrier, audited, with_missed,
    share(with_missed, audited) AS with_missed_share,
    wilson(with_missed, audited, -1) AS with_missed_low,
    wilson(with_missed, audited, 1) AS with_missed_high,
    events, missed,
    share(missed, events) AS missed_share
FROM counted
ORDER BY audited DESC, vendor, carrier
LIMIT 2000
