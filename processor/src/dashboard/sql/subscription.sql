-- The subscriptions of one tracking number (indexed): a row for each contract.
SELECT
    vendor, account, tracking_number, carrier, vendor_carrier, former_carriers, state, reason, code, since, requested_at, requester,
    reference, api, product, international, round, attempt, call_id, not_before,
    arrayMap(
        (month, vendor_carrier, accepted, last_at) -> CAST(
            (month, vendor_carrier, accepted, last_at),
            'Tuple(month UInt32, vendor_carrier String, accepted UInt16, last_at DateTime64(3, \'UTC\'))'),
        calls.month, calls.vendor_carrier, calls.accepted, calls.last_at) AS calls,
    duplicate, first_push_at, ended_word, ended_at
FROM subscription FINAL
WHERE tracking_number = {number:String}
ORDER BY since DESC, vendor, account
LIMIT 20
