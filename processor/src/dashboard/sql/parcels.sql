-- The parcels behind a figure, in the order of the table, so that a page begins where the one before it ended and reads nothing before
-- that. `{source}` and `{counts}` are those of the figure (figures.rs).
SELECT
    vendor, carrier, tracking_number, epoch, status, cohort_date, picked_up_at, transit_seconds / 3600 AS transit_hours, origin, dest,
    exception_reasons, exception_codes, observed_at AS counted_at
FROM {source}(
    from_date = {from:Date},
    to_date = {to:Date},
    received_from = (SELECT if({from:Date} >= first_recent, recent_received_from, toDateTime('2000-01-01', 'UTC')) FROM counted_at),
    recent_from = (SELECT first_recent FROM counted_at),
    as_of = (SELECT recent_at FROM counted_at),
    older_as_of = (SELECT older_at FROM counted_at))
WHERE (empty({carriers:Array(String)}) OR carrier IN {carriers:Array(String)})
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND startsWith(origin, {origin:String}) AND startsWith(dest, {dest:String})
    AND ({status:String} = '' OR status = {status:String})
    AND {counts}
    AND ({kind:String} = '' OR (carrier, tracking_number, vendor, epoch) IN
    (
        SELECT carrier, tracking_number, vendor, epoch
        FROM cohort_exception(
            from_date = {from:Date},
            to_date = {to:Date},
            received_from = (SELECT if({from:Date} >= first_recent, recent_received_from, toDateTime('2000-01-01', 'UTC')) FROM counted_at),
            recent_from = (SELECT first_recent FROM counted_at),
            as_of = (SELECT recent_exceptions_at FROM counted_at),
            older_as_of = (SELECT older_exceptions_at FROM counted_at))
        WHERE is_settled AND kind = {kind:String} AND name = {name:String}
            AND (empty({carriers:Array(String)}) OR carrier IN {carriers:Array(String)})
            AND ({vendor:String} = '' OR vendor = {vendor:String})
            AND carrier >= {after_carrier:String}
    ))
    -- The first of these reads only what is beyond the cursor, and the second leaves out the parcel that it names.
    AND (carrier > {after_carrier:String} OR carrier = {after_carrier:String} AND tracking_number >= {after_number:String})
    AND (carrier, tracking_number, vendor, epoch) > ({after_carrier:String}, {after_number:String}, {after_vendor:String}, {after_epoch:Date})
ORDER BY carrier, tracking_number, vendor, epoch
LIMIT {limit:UInt32}
