-- What was promised and estimated of one tracking number (indexed), and whether it was kept. View promised_parcel reads the lanes of all
-- parcels; for a single one the few promises that could hold are looked through. A verdict is NULL where there is nothing to judge:
-- without a promise, without an estimate, without a pickup or of a cancelled parcel.
WITH
    {formula:china_day},
    (SELECT {expression:count_of_days} FROM working_day WHERE country = 'CN') AS working_day_counts,
    (SELECT {expression:list_of_days} FROM working_day WHERE country = 'CN') AS working_day_list,
    {formula:working_days_until},
    {formula:is_working_day},
    {formula:second_of_day},
    {formula:due_after},
    {formula:sla_seconds},
    lane_promise AS
    (
        SELECT
            measured.vendor AS vendor,
            measured.carrier AS carrier,
            measured.epoch AS epoch,
            argMax(
                (promise.hours, promise.working_days, promise.cutoff),
                (promise.carrier != '', length(promise.origin), length(promise.dest))) AS found,
            found.1 AS hours,
            found.2 AS working_days,
            found.3 AS cutoff
        FROM parcel AS measured
        CROSS JOIN sla_promise AS promise
        WHERE measured.tracking_number = {number:String}
            AND promise.carrier IN (toString(measured.carrier), '')
            AND promise.origin IN (measured.origin, substring(measured.origin, 1, 4), '')
            AND promise.dest IN (measured.dest, substring(measured.dest, 1, 4), '')
        GROUP BY vendor, carrier, epoch
    )
SELECT
    measured.vendor AS vendor,
    measured.carrier AS carrier,
    measured.epoch AS epoch,
    {expression:promised_hours} AS promised_hours,
    lane_promise.working_days AS promised_working_days,
    -- Nobody says that there is no cut-off.
    if(isNotNull(promised_working_days) AND lane_promise.cutoff < 1440,
        formatDateTime(toDateTime(lane_promise.cutoff * 60, 'UTC'), '%H:%i'), NULL) AS promised_cutoff,
    (lane_promise.hours = 0 AND isNotNull(promised_hours))::Bool AS is_standard,
    measured.picked_up_at + toIntervalSecond(sla_seconds) AS promised_until,
    multiIf(
        NOT measured.is_in_cohort OR isNull(sla_seconds) OR measured.is_attempt_invalid, NULL,
        isNotNull(measured.attempt_seconds), if(measured.attempt_seconds <= sla_seconds, 'KEPT', 'MISSED'),
        measured.age_seconds <= sla_seconds, 'OPEN',
        'MISSED') AS promise_verdict,
    multiIf(
        NOT measured.is_in_cohort OR NOT measured.has_eta OR measured.is_attempt_invalid, NULL,
        isNotNull(measured.attempt_seconds), if(measured.is_eta_hit, 'KEPT', 'MISSED'),
        measured.eta_due_after - 86400 >= measured.age_seconds, 'OPEN',
        'MISSED') AS estimate_verdict
FROM parcel AS measured
LEFT JOIN lane_promise
    ON measured.vendor = lane_promise.vendor AND measured.carrier = lane_promise.carrier AND measured.epoch = lane_promise.epoch
WHERE measured.tracking_number = {number:String}
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, measured.carrier))
LIMIT 20
