-- Formulas, each written once. Views and the dashboard's statements refer to them by name: {formula:share} becomes
-- `<expression> AS share`, in a WITH clause or in a list of columns; {expression:share} becomes the expression alone, in
-- parentheses. When a formula changes, `processor migrate` replaces every view that uses it.
--
-- Why not functions of the server (CREATE FUNCTION)? They are global to the server, so two databases of different versions would
-- use each other's formulas. They need a right that cannot be granted for a single database. And a view keeps the text that a
-- function had when the view was created, so changing the function would not change the view. For queries of analysts there is one
-- nevertheless, courierflow_percentile_hours: it is hours_at (processor/src/migrate/functions.rs).
--
-- An entry begins with its name and ends where the next one begins.

-- formula share: NULL when there is nothing to judge
(part, whole) -> if(whole = 0, NULL, part / whole) AS share

-- formula wilson: Wilson score interval, z for 95 %; side is -1 or 1
(part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson

-- formula hours_at: the smallest time within which the given percentage of the parcels was finished; whole includes the
-- unfinished
(bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at

-- formula mean_hours: mean in hours, from a sum of seconds
(seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours

-- formula bin: quarters of an hour, rounded up: the key of a histogram
seconds -> toUInt16(intDiv(seconds + 899, 900)) AS bin

-- formula runs: the position of each element among equal ones
bins -> arrayEnumerateUniq(arraySort(bins)) AS runs

-- formula counted: how often each bin occurs: the position of the last of equal elements is their number. Ten times faster than
-- sumMap of small maps
bins -> mapFromArrays(
    arrayCompact(arraySort(bins)),
    arrayFilter((place, next) -> next = 1, runs(bins), arrayResize(arrayPopFront(runs(bins)), length(bins), 1))) AS counted

-- formula area: rule 10.5: a municipality is one city; 00 instead of a city means a whole province
code -> multiIf(
    NOT startsWith(ifNull(code, ''), 'CN'), '',
    is_municipality(substring(code, 1, 4)), substring(code, 1, 4),
    length(code) < 6 OR substring(code, 5, 2) = '00', substring(code, 1, 4),
    substring(code, 1, 6)) AS area

-- formula is_municipality: Beijing, Tianjin, Shanghai, Chongqing: a province that is one city
place -> place IN ('CN11', 'CN12', 'CN31', 'CN50') AS is_municipality

-- formula origin: origin of a shipment. An inferred one is known from the first event on
assumeNotNull(area(origin_code)) AS origin

-- formula dest: destination of a shipment. A destination taken from events is known only after the parcel has arrived, so its lane
-- would lack the parcels that never arrived. The flag does not tell which end was inferred, so such a parcel has no destination
assumeNotNull(if(has(flags, 'lane_inferred'), '', area(dest_code))) AS dest

-- formula is_cross_border: of a shipment; rule 10.7 says when derive sets the flag
has(flags, 'cross_border') AS is_cross_border

-- formula promised_hours: of a parcel (measured) with what its lane_promise says, if hours are promised. Without a promise the national
-- standard applies; it covers domestic parcels only
multiIf(
    isNotNull(lane_promise.working_days), NULL,
    lane_promise.hours > 0, toInt64(lane_promise.hours),
    measured.is_cross_border, NULL,
    measured.is_same_city, 24, 72) AS promised_hours

-- formula sla_seconds: seconds from the pickup until the first attempt is due, of a parcel (measured) with what its lane_promise says. Working
-- days end at different times of the clock, so this differs from parcel to parcel. It takes due_after
if(isNotNull(lane_promise.working_days),
    due_after(measured.picked_up_at, assumeNotNull(lane_promise.working_days), lane_promise.cutoff) - toInt64(measured.picked_up_at),
    {expression:promised_hours} * 3600) AS sla_seconds

-- formula lanes: a parcel counts for its carrier, for its pair of provinces and for its pair of cities
(from_area, to_area) -> [
    ('carrier', '', ''),
    ('province', substring(from_area, 1, 4), substring(to_area, 1, 4)),
    ('city', toString(from_area), toString(to_area))] AS lanes

-- formula china_day: the day in China; used for pickups and estimates
time -> toDate(time, 'Asia/Shanghai') AS china_day

-- formula count_of_days: of working_day: for each day since 1970-01-01, how many working days there were until its end. Made once in a
-- query, this list costs a look or two a parcel, however many days lie between two times. 65536 is as many days as a Date has
arrayCumSum(groupArrayInsertAt(0, 65536)(is_working, toUInt16(date))) AS count_of_days

-- formula list_of_days: of working_day: the working days, as numbers. A count of the other list is a place in this one
arraySort(groupArrayIf(toUInt16(date), is_working)) AS list_of_days

-- formula working_day_counts: China's, by which figures are measured. Not one subquery with both lists: the parts of a tuple would become
-- constants, and the server would write out thousands of numbers for each place where they are used, when it plans
(SELECT {expression:count_of_days} FROM {database}.working_day WHERE country = 'CN') AS working_day_counts

-- formula working_day_list: likewise
(SELECT {expression:list_of_days} FROM {database}.working_day WHERE country = 'CN') AS working_day_list

-- formula working_days_until: China's working days from 1970 until the end of a day
day -> working_day_counts[toInt32(day) + 1] AS working_days_until

-- formula is_working_day: whether the day is one of them
day -> working_days_until(day) > working_days_until(toInt32(day) - 1) AS is_working_day

-- formula second_of_day: seconds since midnight in China, which has no daylight saving time
time -> (toInt64(time) + 8 * 3600) % 86400 AS second_of_day

-- formula worked_seconds_until: China's working time from 1970 until a time: 24 h of every working day
time -> toInt64(working_days_until(toInt32(china_day(time)) - 1)) * 86400
    + if(is_working_day(china_day(time)), second_of_day(time), 0) AS worked_seconds_until

-- formula working_hours: from one time to the other, only the hours of working days; NULL where span is
(start, end) -> if(isNull(span(start, end)), NULL, (worked_seconds_until(end) - worked_seconds_until(start)) / 3600) AS working_hours

-- formula due_after: the last second of the working day that is so many working days after that of the pickup, as a number. A pickup on
-- a day without work, or not before the cut-off (minutes after midnight), counts for the next working day
(time, days, cutoff) -> toInt64(working_day_list[
    working_days_until(china_day(time)) + if(is_working_day(china_day(time)) AND second_of_day(time) < cutoff * 60, 0, 1) + days])
    * 86400 + 86399 - 8 * 3600 AS due_after

-- formula is_believed: false for a duration that is negative or over 180 days, which counts as unknown
seconds -> seconds BETWEEN 0 AND 180 * 86400 AS is_believed

-- formula span: seconds from one time to the other; NULL if either is missing or the duration is not plausible
(start, end) -> if(is_believed(toInt64(end) - toInt64(start)), toInt64(end) - toInt64(start), NULL) AS span

-- formula is_trouble: of an event. Status EXCEPTION, and refusals that vendors report as returns
(status, sub_status) -> status = 'EXCEPTION' OR ifNull(sub_status = 'REFUSED', false) AS is_trouble

-- formula is_in_time: of an event of a shipment. Events dated later than their push are ignored (rule 4.6)
time -> time <= received_at + INTERVAL 10 MINUTE AS is_in_time

-- formula parties: the responsible party of each reason
(SELECT mapFromArrays(groupArray(sub_status), groupArray(party)) FROM {database}.status_name WHERE kind = 'reason') AS parties

-- formula party_of: the responsible party of a reason
reason -> if(mapContains(parties, reason), parties[reason], 'unknown') AS party_of

-- formula horizon: seconds after the pickup within which events without a horizon of their own are counted
7 * 86400 AS horizon

-- formula report_lag: seconds: vendors poll about every 4 h and repeat a failed push
6 * 3600 AS report_lag

-- formula overdue_after: seconds after which a parcel is overdue in a locker or station
18 * 3600 AS overdue_after

-- formula first_recent_day: first day of the cohorts that still change; older ones are counted once a day
toDate(now(), 'Asia/Shanghai') - 40 AS first_recent_day

-- formula last_older_day: last day of the older cohorts. Both tables have ten days in common, so that no day is
-- missing while a cohort moves to the other table
toDate(now(), 'Asia/Shanghai') - 31 AS last_older_day

-- formula recent_since: start of the period in which recent cohorts are looked for: it leaves 60 days from the first
-- push to the pickup
now('UTC') - INTERVAL 101 DAY AS recent_since

-- formula last_mature_day: the newest pickup day whose parcels are all old enough for the 72 h rate: it ended 72 h and report_lag ago
toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 1 AS last_mature_day

-- formula first_mature_day: with it, these are thirty days
toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 30 AS first_mature_day

-- formula last_settled_day: the newest pickup day whose parcels are all settled: it ended horizon and report_lag ago
toDate(now('UTC') - INTERVAL 174 HOUR, 'Asia/Shanghai') - 1 AS last_settled_day

-- formula route_life: seconds: what was told of a route so long before the newest push is about an earlier life of the number
30 * 86400 AS route_life

-- formula late_after: hours after its plan from which on a parcel counts as late at a node: plans are predictions, to the second
2 AS late_after

-- formula is_planned_within: of a planned time: whether it belongs to the days of the views of routes without parameters
time -> ifNull(china_day(time) BETWEEN first_mature_day AND last_mature_day, false) AS is_planned_within

-- formula students_t_p_value: how probable a value of Student's t distribution is that is at least so far from 0, either way. The t is turned
-- into a normal deviate by Wallace's formula (Biometrika 46, 1959, 124-130): from 13 degrees of freedom on and for t up to 6 the probability
-- is between the true one and 1.04 times that
(t, freedom) -> erfc((8 * freedom + 1) / (8 * freedom + 3) * sqrt(freedom * log(1 + t * t / freedom)) / sqrt(2)) AS students_t_p_value

-- formula first_recent: the first day that is shown from the recent table. It is the first day that the recent refresh covered, not
-- the oldest day that it found: if all parcels have moved away from that day, the older table must not show them again
(SELECT ifNull(toDate(maxOrNull(refreshed_at), 'Asia/Shanghai') - 40, toDate('2100-01-01')) FROM {database}.carrier_daily_recent WHERE level = 'carrier') AS first_recent

-- formula is_accepted: of a call: the vendor did it, or says that it had done it when an earlier try of the same call was not answered.
-- If no answer came at all and a push told that it was done, the subscription has counted it: the last try stands for it
class = 'DONE' OR class = 'DUPLICATE' AND (reason = 'IN_DOUBT' OR call_id IN
    (SELECT unanswered.call_id FROM {database}.vendor_call AS unanswered WHERE unanswered.class = 'UNKNOWN'))
    OR class = 'UNKNOWN' AND kind = 'SUBSCRIBE' AND (call_id, started_at) IN
    (
        SELECT argMax(tried.call_id, tried.started_at), max(tried.started_at)
        FROM {database}.vendor_call AS tried
        WHERE tried.kind = 'SUBSCRIBE' AND (tried.vendor, tried.account, tried.tracking_number, tried.month, tried.vendor_carrier) IN
        (
            -- A call that left the carrier to the vendor counts for the one that was found.
            SELECT subscribed.vendor, subscribed.account, subscribed.tracking_number, calls.month, arrayJoin(['', toString(calls.vendor_carrier)])
            FROM {database}.subscription AS subscribed FINAL
            ARRAY JOIN calls
            WHERE calls.accepted > 0
        )
        GROUP BY tried.vendor, tried.account, tried.tracking_number, tried.month
        HAVING countIf(tried.class IN ('DONE', 'DUPLICATE')) = 0
    ) AS is_accepted

-- formula first_covered_day: first day of subscription_coverage
toDate(now(), 'Asia/Shanghai') - 30 AS first_covered_day

-- formula asked_level: the level of the rows that the parameters of a view select
multiIf({origin:String} = '' AND {dest:String} = '', 'carrier', length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province') AS asked_level

-- formula is_asked: whether the parameters of a view select a row of daily
daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String}) AS is_asked

-- formula level_on_page: the level of the rows that a request of the dashboard selects
if({origin:String} = '' AND {dest:String} = '', 'carrier', 'province') AS level_on_page

-- formula is_on_page: whether a request of the dashboard selects a row of daily, without its days
({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, daily.carrier)) AS is_on_page

-- formula lane_figures_on_page: the figures of lanes and of provinces that the dashboard shows, made of lane_sums; more would take longer to
-- plan
parcels, delivered, sent_back, open, lost_presumed, settled,
{formula:maturity},
{formula:is_mature},
transit_parcels,
{formula:p50_hours},
{formula:is_p50_sound},
{formula:p90_hours},
{formula:is_p90_sound},
due_72h,
{formula:rate_72h},
sla_parcels,
sla_due,
{formula:on_time_maturity},
{formula:is_on_time_mature},
{formula:on_time_rate},
{formula:exception_rate},
{expression:return_rate} AS return_rate,
refreshed_at

-- The figures, computed from the counts of carrier_daily. The comments of the columns describe them.

-- formula maturity: old enough for the 72 h rate
share(due_72h, transit_parcels) AS maturity

-- formula is_mature: likewise
toBool(ifNull(maturity >= 0.99, false)) AS is_mature

-- formula on_time_maturity: old enough for the on-time rate
share(sla_due, sla_parcels) AS on_time_maturity

-- formula is_on_time_mature: likewise
toBool(ifNull(on_time_maturity >= 0.99, false)) AS is_on_time_mature

-- formula lost_maturity: old enough for the lost rate
share(lost_due, promised) AS lost_maturity

-- formula is_lost_mature: likewise
toBool(ifNull(lost_maturity >= 0.99, false)) AS is_lost_mature

-- formula p50_hours
hours_at(transit_bins, transit_parcels, 50) AS p50_hours

-- formula p90_hours
hours_at(transit_bins, transit_parcels, 90) AS p90_hours

-- formula p95_hours
hours_at(transit_bins, transit_parcels, 95) AS p95_hours

-- formula is_p50_sound
toBool(transit_parcels >= 10) AS is_p50_sound

-- formula is_p90_sound
toBool(transit_parcels >= 50) AS is_p90_sound

-- formula is_p95_sound
toBool(transit_parcels >= 100) AS is_p95_sound

-- formula rate_24h: with its interval
share(within_24h, due_24h) AS rate_24h,
wilson(within_24h, due_24h, -1) AS rate_24h_low,
wilson(within_24h, due_24h, 1) AS rate_24h_high

-- formula rate_48h: with its interval
share(within_48h, due_48h) AS rate_48h,
wilson(within_48h, due_48h, -1) AS rate_48h_low,
wilson(within_48h, due_48h, 1) AS rate_48h_high

-- formula rate_72h: with its interval
share(within_72h, due_72h) AS rate_72h,
wilson(within_72h, due_72h, -1) AS rate_72h_low,
wilson(within_72h, due_72h, 1) AS rate_72h_high

-- formula on_time_rate: with its interval
share(sla_attempted, sla_due) AS on_time_rate,
wilson(sla_attempted, sla_due, -1) AS on_time_rate_low,
wilson(sla_attempted, sla_due, 1) AS on_time_rate_high

-- formula on_time_delivered_rate: with its interval
share(sla_delivered, sla_delivered_due) AS on_time_delivered_rate,
wilson(sla_delivered, sla_delivered_due, -1) AS on_time_delivered_rate_low,
wilson(sla_delivered, sla_delivered_due, 1) AS on_time_delivered_rate_high

-- formula first_attempt_rate: with its interval
share(settled_first_attempt, settled_attempted) AS first_attempt_rate,
wilson(settled_first_attempt, settled_attempted, -1) AS first_attempt_rate_low,
wilson(settled_first_attempt, settled_attempted, 1) AS first_attempt_rate_high

-- formula first_attempt_cn_rate: with its interval
share(settled_first_attempt_cn, settled_attempted) AS first_attempt_cn_rate,
wilson(settled_first_attempt_cn, settled_attempted, -1) AS first_attempt_cn_rate_low,
wilson(settled_first_attempt_cn, settled_attempted, 1) AS first_attempt_cn_rate_high

-- formula exception_rate: with its interval
share(settled_with_exception, settled) AS exception_rate,
wilson(settled_with_exception, settled, -1) AS exception_rate_low,
wilson(settled_with_exception, settled, 1) AS exception_rate_high

-- formula return_rate: with its interval
share(settled_returned, settled) AS return_rate,
wilson(settled_returned, settled, -1) AS return_rate_low,
wilson(settled_returned, settled, 1) AS return_rate_high

-- formula refusal_rate: with its interval
share(settled_refused, settled) AS refusal_rate,
wilson(settled_refused, settled, -1) AS refusal_rate_low,
wilson(settled_refused, settled, 1) AS refusal_rate_high

-- formula lost_rate: with its interval
share(lost_due_presumed, lost_due) AS lost_rate,
wilson(lost_due_presumed, lost_due, -1) AS lost_rate_low,
wilson(lost_due_presumed, lost_due, 1) AS lost_rate_high

-- formula locker_share: with its interval
share(settled_locker, settled_reached) AS locker_share,
wilson(settled_locker, settled_reached, -1) AS locker_share_low,
wilson(settled_locker, settled_reached, 1) AS locker_share_high

-- formula locker_overdue_rate: with its interval
share(locker_overdue, locker_parcels) AS locker_overdue_rate,
wilson(locker_overdue, locker_parcels, -1) AS locker_overdue_rate_low,
wilson(locker_overdue, locker_parcels, 1) AS locker_overdue_rate_high

-- formula eta_hit_rate: with its interval
share(eta_hit, eta_due) AS eta_hit_rate,
wilson(eta_hit, eta_due, -1) AS eta_hit_rate_low,
wilson(eta_hit, eta_due, 1) AS eta_hit_rate_high

-- formula eta_within_day_rate: with its interval
share(eta_within_day, eta_due) AS eta_within_day_rate,
wilson(eta_within_day, eta_due, -1) AS eta_within_day_rate_low,
wilson(eta_within_day, eta_due, 1) AS eta_within_day_rate_high

-- formula rate: of a code, reason or party, with its interval. Parcels with an exception are counted some minutes after the cohorts that they
-- are divided by; of a young day more of them may have settled by then. So a rate never takes more of them than the cohort has
share(least(settled_with, settled), settled) AS rate,
wilson(least(settled_with, settled), settled, -1) AS rate_low,
wilson(least(settled_with, settled), settled, 1) AS rate_high

-- formula exception_sums: the counts of exception_daily, added up
sum(daily.parcels) AS parcels,
sum(daily.settled) AS settled_with,
sum(daily.resolve_parcels) AS resolve_parcels,
sumMap(daily.resolve_bins) AS resolve_bins,
min(daily.refreshed_at) AS refreshed_at

-- formula exception_figures: all figures of a code, reason or party, made of these (found), the parcels that could have had it (cohort) and
-- its names (named)
found.kind AS kind,
found.code_vendor AS vendor,
found.name AS name,
nullIf(named.name_zh, '') AS name_zh,
nullIf(named.name_en, '') AS name_en,
named.reason AS reason,
nullIf(named.party, '') AS party,
if(named.name_en = '', NULL, named.is_vendor_clock) AS is_vendor_clock,
found.parcels AS parcels,
found.settled_with AS settled_with,
cohort.settled AS settled,
{formula:rate},
found.resolve_parcels AS resolve_parcels,
{formula:resolve_p50_hours},
found.refreshed_at AS refreshed_at

-- formula resolve_p50_hours
hours_at(resolve_bins, resolve_parcels, 50) AS resolve_p50_hours

-- formula carrier_sums: all counts of carrier_daily, added up
sum(daily.parcels) AS parcels,
sum(daily.cancelled) AS cancelled,
sum(daily.pickup_imputed) AS pickup_imputed,
sum(daily.delivered) AS delivered,
sum(daily.sent_back) AS sent_back,
sum(daily.open) AS open,
sum(daily.returned) AS returned,
sum(daily.refused) AS refused,
sum(daily.lost_presumed) AS lost_presumed,
sum(daily.with_exception) AS with_exception,
sum(daily.transit_parcels) AS transit_parcels,
sumMap(daily.transit_bins) AS transit_bins,
sumMap(daily.transit_working_bins) AS transit_working_bins,
sum(daily.attempt_parcels) AS attempt_parcels,
sumMap(daily.attempt_bins) AS attempt_bins,
sum(daily.due_24h) AS due_24h,
sum(daily.within_24h) AS within_24h,
sum(daily.due_48h) AS due_48h,
sum(daily.within_48h) AS within_48h,
sum(daily.due_72h) AS due_72h,
sum(daily.within_72h) AS within_72h,
sum(daily.sla_parcels) AS sla_parcels,
sum(daily.sla_due) AS sla_due,
sum(daily.sla_attempted) AS sla_attempted,
sum(daily.sla_delivered_due) AS sla_delivered_due,
sum(daily.sla_delivered) AS sla_delivered,
sum(daily.settled) AS settled,
sum(daily.settled_attempted) AS settled_attempted,
sum(daily.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
sum(daily.settled_first_attempt) AS settled_first_attempt,
sum(daily.settled_first_attempt_cn) AS settled_first_attempt_cn,
sum(daily.settled_with_exception) AS settled_with_exception,
sum(daily.settled_returned) AS settled_returned,
sum(daily.settled_refused) AS settled_refused,
sum(daily.promised) AS promised,
sum(daily.lost_due) AS lost_due,
sum(daily.lost_due_presumed) AS lost_due_presumed,
sum(daily.settled_reached) AS settled_reached,
sum(daily.settled_locker) AS settled_locker,
sum(daily.locker_parcels) AS locker_parcels,
sumMap(daily.locker_bins) AS locker_bins,
sum(daily.locker_overdue) AS locker_overdue,
sum(daily.pickup_wait_parcels) AS pickup_wait_parcels,
sum(daily.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
sum(daily.origin_parcels) AS origin_parcels,
sum(daily.origin_seconds_sum) AS origin_seconds_sum,
sum(daily.linehaul_parcels) AS linehaul_parcels,
sum(daily.linehaul_seconds_sum) AS linehaul_seconds_sum,
sum(daily.destination_parcels) AS destination_parcels,
sum(daily.destination_seconds_sum) AS destination_seconds_sum,
sum(daily.last_mile_parcels) AS last_mile_parcels,
sum(daily.last_mile_seconds_sum) AS last_mile_seconds_sum,
sum(daily.eta_parcels) AS eta_parcels,
sum(daily.eta_due) AS eta_due,
sum(daily.eta_hit) AS eta_hit,
sum(daily.eta_within_day) AS eta_within_day,
sum(daily.eta_attempted) AS eta_attempted,
sum(daily.eta_error_seconds_sum) AS eta_error_seconds_sum,
sum(daily.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
sum(daily.claims) AS claims,
min(daily.refreshed_at) AS refreshed_at

-- formula carrier_figures: all figures of a carrier, made of these
parcels,
cancelled,
pickup_imputed,
delivered,
sent_back,
open,
returned,
refused,
lost_presumed,
with_exception,
settled,
{formula:maturity},
{formula:is_mature},
transit_parcels,
{formula:p50_hours},
{formula:p90_hours},
{formula:p95_hours},
{formula:is_p50_sound},
{formula:is_p90_sound},
{formula:is_p95_sound},
hours_at(transit_working_bins, transit_parcels, 50) AS transit_working_p50_hours,
hours_at(transit_working_bins, transit_parcels, 90) AS transit_working_p90_hours,
attempt_parcels,
hours_at(attempt_bins, attempt_parcels, 50) AS attempt_p50_hours,
hours_at(attempt_bins, attempt_parcels, 90) AS attempt_p90_hours,
due_24h,
{formula:rate_24h},
due_48h,
{formula:rate_48h},
due_72h,
{formula:rate_72h},
sla_parcels,
sla_due,
{formula:on_time_maturity},
{formula:is_on_time_mature},
{formula:on_time_rate},
sla_delivered_due,
{formula:on_time_delivered_rate},
settled_attempted,
mean_hours(settled_attempt_seconds_sum, settled_attempted) AS settled_attempt_hours,
{formula:first_attempt_rate},
{formula:first_attempt_cn_rate},
{formula:exception_rate},
{formula:return_rate},
{formula:refusal_rate},
promised,
lost_due,
{formula:lost_maturity},
{formula:is_lost_mature},
{formula:lost_rate},
settled_reached,
{formula:locker_share},
locker_parcels,
hours_at(locker_bins, locker_parcels, 50) AS locker_p50_hours,
{formula:locker_overdue_rate},
pickup_wait_parcels,
mean_hours(pickup_wait_seconds_sum, pickup_wait_parcels) AS pickup_wait_hours,
origin_parcels,
mean_hours(origin_seconds_sum, origin_parcels) AS origin_hours,
linehaul_parcels,
mean_hours(linehaul_seconds_sum, linehaul_parcels) AS linehaul_hours,
destination_parcels,
mean_hours(destination_seconds_sum, destination_parcels) AS destination_hours,
last_mile_parcels,
mean_hours(last_mile_seconds_sum, last_mile_parcels) AS last_mile_hours,
eta_parcels,
share(eta_parcels, settled) AS eta_coverage,
eta_due,
{formula:eta_hit_rate},
{formula:eta_within_day_rate},
eta_attempted,
mean_hours(eta_error_seconds_sum, eta_attempted) AS eta_bias_hours,
mean_hours(eta_absolute_error_seconds_sum, eta_attempted) AS eta_mae_hours,
claims,
refreshed_at

-- formula lane_sums: the counts of carrier_daily that lanes are compared by, added up
sum(daily.parcels) AS parcels,
sum(daily.cancelled) AS cancelled,
sum(daily.delivered) AS delivered,
sum(daily.sent_back) AS sent_back,
sum(daily.open) AS open,
sum(daily.returned) AS returned,
sum(daily.refused) AS refused,
sum(daily.lost_presumed) AS lost_presumed,
sum(daily.transit_parcels) AS transit_parcels,
sumMap(daily.transit_bins) AS transit_bins,
sum(daily.due_24h) AS due_24h,
sum(daily.within_24h) AS within_24h,
sum(daily.due_48h) AS due_48h,
sum(daily.within_48h) AS within_48h,
sum(daily.due_72h) AS due_72h,
sum(daily.within_72h) AS within_72h,
sum(daily.sla_parcels) AS sla_parcels,
sum(daily.sla_due) AS sla_due,
sum(daily.sla_attempted) AS sla_attempted,
sum(daily.settled) AS settled,
sum(daily.settled_with_exception) AS settled_with_exception,
sum(daily.settled_returned) AS settled_returned,
min(daily.refreshed_at) AS refreshed_at

-- formula lane_figures: all figures of a lane, made of these
parcels,
cancelled,
delivered,
sent_back,
open,
returned,
refused,
lost_presumed,
settled,
{formula:maturity},
{formula:is_mature},
transit_parcels,
{formula:p50_hours},
{formula:p90_hours},
{formula:p95_hours},
{formula:is_p50_sound},
{formula:is_p90_sound},
{formula:is_p95_sound},
due_24h,
{formula:rate_24h},
due_48h,
{formula:rate_48h},
due_72h,
{formula:rate_72h},
sla_parcels,
sla_due,
{formula:on_time_maturity},
{formula:is_on_time_mature},
{formula:on_time_rate},
{formula:exception_rate},
{formula:return_rate},
refreshed_at
