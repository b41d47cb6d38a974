//! The SQL of the candidates: one statement a class, each with the condition of the class and nothing of its times, which
//! [`courierflow_domain::reconcile`] knows. All times are microseconds since 1970.
//!
//! Every statement selects `vendor, account, tracking_number, carrier, since`.

/// What this worker asks about: parcels of its partitions (that of a record is murmur2 of the number) under accounts that are asked.
macro_rules! mine {
    () => {
        "has({partitions:Array(Int32)}, toInt32(kafkaMurmurHash(tracking_number) % {all:UInt32}))
            AND has({accounts:Array(String)}, concat(toString(vendor), '/', toString(account)))"
    };
}

/// Open parcels as `open_parcel` has them, which is filled every 5 minutes, but as they stand now.
macro_rules! open {
    ($of_open_parcel:literal) => {
        concat!(
            "SELECT vendor, account, tracking_number, carrier, epoch, last_event_at,
                toUnixTimestamp64Micro(ifNull(last_push_at, received_at)) AS heard_at
            FROM shipment FINAL
            WHERE (carrier, tracking_number) IN
                (SELECT carrier, tracking_number FROM open_parcel WHERE ",
            $of_open_parcel,
            " AND ",
            mine!(),
            ")
                AND status NOT IN ('DELIVERED', 'RETURNED', 'CANCELLED') AND ",
            $of_open_parcel,
            " AND ",
            mine!()
        )
    };
}

/// Open parcels of one account of which nothing was heard since the gap ended.
pub(super) const GAP: &str = concat!(
    "SELECT vendor, account, tracking_number, carrier, {since:Int64} AS since
    FROM (",
    open!("tracking_state != 'CARRIER_CORRECTED'"),
    ")
    WHERE concat(toString(vendor), '/', toString(account)) = {account:String} AND heard_at <= {until:Int64}"
);

/// Open parcels whose subscription the vendor has ended. Its word came with the last push.
pub(super) const ENDED_OPEN: &str = concat!(
    "SELECT vendor, account, tracking_number, carrier, heard_at AS since
    FROM (",
    open!("tracking_state = 'ENDED'"),
    ")"
);

/// Followed, and no push came. `first_push_at` is written when subscribe reads the push; the parcel itself may know of it before.
pub(super) const FIRST_PUSH_LATE: &str = concat!(
    "SELECT vendor, account, tracking_number, waiting.carrier AS carrier, waiting.since AS since
    FROM
    (
        SELECT toString(vendor) AS vendor, toString(account) AS account, tracking_number, carrier, toUnixTimestamp64Micro(subscription.since) AS since
        FROM subscription FINAL
        WHERE state = 'ACTIVE' AND isNull(first_push_at) AND ",
    mine!(),
    "
    ) AS waiting
    LEFT JOIN
    (
        SELECT toString(vendor) AS vendor, toString(account) AS account, tracking_number,
            max(toUnixTimestamp64Micro(assumeNotNull(last_push_at))) AS pushed_at
        FROM shipment FINAL
        WHERE tracking_number IN (SELECT tracking_number FROM subscription WHERE state = 'ACTIVE' AND isNull(first_push_at))
            AND isNotNull(last_push_at)
        GROUP BY vendor, account, tracking_number
    ) AS heard USING (vendor, account, tracking_number)
    WHERE heard.pushed_at < waiting.since"
);

/// A parcel that has come to its end meanwhile needs nobody.
pub(super) const FALLBACK: &str = concat!(
    "SELECT vendor, account, tracking_number, carrier, toUnixTimestamp64Micro(subscription.since) AS since
    FROM subscription FINAL
    WHERE state IN ('FALLBACK', 'QUOTA') AND ifNull(ended_word, '') NOT IN ('DELIVERED', 'RETURNED', 'CANCELLED') AND ",
    mine!()
);

/// Open parcels without an event for longer than such parcels usually take, and without a push for `quiet`.
pub(super) const STALLED: &str = concat!(
    "SELECT heard.vendor AS vendor, heard.account AS account, heard.tracking_number AS tracking_number, heard.carrier AS carrier,
        greatest((toInt64(toUnixTimestamp(assumeNotNull(heard.last_event_at))) + open_parcel.stalled_after) * 1000000,
            heard.heard_at + {quiet:Int64}) AS since
    FROM (", open!("tracking_state = 'ACTIVE'"), ") AS heard
    INNER JOIN open_parcel ON open_parcel.vendor = heard.vendor AND open_parcel.carrier = heard.carrier
        AND open_parcel.tracking_number = heard.tracking_number AND open_parcel.epoch = heard.epoch
    WHERE isNotNull(heard.last_event_at) AND since <= {now:Int64}"
);

/// The sample, the present life of each number.
macro_rules! sample {
    ($since:literal, $from:literal) => {
        concat!(
            "SELECT vendor, account, tracking_number, carrier, ", $since, " AS since
            FROM shipment FINAL
            WHERE tracking_state != 'CARRIER_CORRECTED' AND xxh3(tracking_number) % 10000 < {per_10000:UInt32} AND ", mine!(), "
                -- A parcel of the sample is audited within days of its pickup or end.
                AND first_received_at >= fromUnixTimestamp64Micro({now:Int64}, 'UTC') - toIntervalDay(90)
                AND since >= ", $from, " AND since <= {now:Int64}
            ORDER BY epoch DESC
            LIMIT 1 BY vendor, carrier, tracking_number"
        )
    };
}

/// Since the pickup: when in the days after it the audit comes is said by the number.
pub(super) const AUDIT_UNDER_WAY: &str = sample!(
    "toInt64(ifNull(toUnixTimestamp(picked_up_at), 0)) * 1000000",
    "{from:Int64}"
);

pub(super) const AUDIT_AT_END: &str = sample!(
    "toInt64(ifNull(toUnixTimestamp(coalesce(delivered_at, returned_at, cancelled_at)), 4000000000)) * 1000000 + {after_end:Int64}",
    "{from:Int64}"
);

/// Around the statement of a class: what of the subscription and of earlier queries the worker needs to know of its parcels.
pub(super) fn completed(class: &str) -> String {
    format!(
        "WITH parcel AS ({class})
        SELECT toString(parcel.vendor) AS vendor, toString(parcel.account) AS account, parcel.tracking_number AS tracking_number,
            toString(parcel.carrier) AS carrier,
            if(subscribed.carrier = parcel.carrier, subscribed.vendor_carrier, '') AS vendor_carrier,
            subscribed.product AS product, toInt64(parcel.since) AS since, toUInt32(earlier.queries) AS asked_before
        FROM parcel
        LEFT JOIN
        (
            SELECT toString(vendor) AS vendor, toString(account) AS account, tracking_number, toString(carrier) AS carrier,
                toString(vendor_carrier) AS vendor_carrier, toString(product) AS product
            FROM subscription FINAL
            WHERE tracking_number IN (SELECT tracking_number FROM parcel)
        ) AS subscribed
            ON subscribed.vendor = parcel.vendor AND subscribed.account = parcel.account AND subscribed.tracking_number = parcel.tracking_number
        LEFT JOIN
        (
            SELECT toString(vendor) AS vendor, toString(account) AS account, tracking_number, count() AS queries
            FROM vendor_call FINAL
            WHERE kind = 'QUERY' AND class != 'ACCOUNT' AND NOT (class = 'RETRY' AND ifNull(http_status = 429, true))
                AND started_at < fromUnixTimestamp64Micro({{horizon:Int64}}, 'UTC')
                AND tracking_number IN (SELECT tracking_number FROM parcel)
            GROUP BY vendor, account, tracking_number
        ) AS earlier
            ON earlier.vendor = parcel.vendor AND earlier.account = parcel.account AND earlier.tracking_number = parcel.tracking_number
        ORDER BY since, tracking_number
        LIMIT {{limit:UInt64}}
        SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0"
    )
}

/// How many queries of this worker's partitions the table knows that the topic should hold, too.
pub(super) const KNOWN_QUERIES: &str = "
    SELECT toUInt64(count())
    FROM vendor_call FINAL
    WHERE kind = 'QUERY' AND started_at >= fromUnixTimestamp64Micro({horizon:Int64}, 'UTC')
        AND has({partitions:Array(Int32)}, toInt32(kafkaMurmurHash(tracking_number) % {all:UInt32}))";

/// What accounts have spent today on parcels of other workers' partitions.
pub(super) const SPENT_ELSEWHERE: &str = "
    SELECT concat(toString(vendor), '/', toString(account)) AS account, toUInt32(count()) AS queries,
        toUInt32(countIf(reason = 'AUDIT')) AS audits
    FROM vendor_call FINAL
    WHERE kind = 'QUERY' AND class != 'ACCOUNT' AND NOT (class = 'RETRY' AND ifNull(http_status = 429, true))
        AND started_at >= fromUnixTimestamp64Micro({day:Int64}, 'UTC')
        AND NOT has({partitions:Array(Int32)}, toInt32(kafkaMurmurHash(tracking_number) % {all:UInt32}))
    GROUP BY account";

/// Pushes of an account in intervals of one length, of the present day and those before that tell what is usual.
pub(super) const PUSHES: &str = "
    SELECT intDiv(toUnixTimestamp64Micro(received_at), {interval:Int64}) AS number, toUInt32(count()) AS pushes
    FROM push
    WHERE concat(toString(vendor), '/', toString(account)) = {account:String} AND origin = 'PUSH'
        AND received_at >= fromUnixTimestamp64Micro({now:Int64}, 'UTC') - toIntervalDay(9)
    GROUP BY number";

/// Gaps that operators have told of in the last days.
pub(super) const ORDERED_GAPS: &str = "
    SELECT toUnixTimestamp64Micro(ordered_at) AS ordered_at, toString(vendor) AS vendor, toString(account) AS account,
        toUnixTimestamp64Micro(ended_at) AS ended_at
    FROM reconcile_gap
    WHERE reconcile_gap.ordered_at >= fromUnixTimestamp64Micro({now:Int64}, 'UTC') - toIntervalDay(2)";

/// The same parcels as in [`GAP`], of all partitions, for the operator who orders it.
pub(super) const COUNT_OF_GAP: &str = "
    SELECT toUInt64(count())
    FROM shipment FINAL
    WHERE (carrier, tracking_number) IN (SELECT carrier, tracking_number FROM open_parcel)
        AND status NOT IN ('DELIVERED', 'RETURNED', 'CANCELLED') AND tracking_state != 'CARRIER_CORRECTED'
        AND has({accounts:Array(String)}, concat(toString(vendor), '/', toString(account)))
        AND toUnixTimestamp64Micro(ifNull(last_push_at, received_at)) <= {until:Int64}";
