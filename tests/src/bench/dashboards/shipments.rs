//! Shipments made in ClickHouse: the carriers, cities and weights of the simulator, picked up in the last 45 days.

use crate::simulator::carriers::{CARRIERS, Carrier};
use crate::simulator::places::{CITIES, City};

/// How far back pickups go: most of them in the days that are refreshed often.
const DAYS: u32 = 45;

/// An INSERT of `count` shipments, the first of them number `from`; equal numbers give equal parcels, apart from the clock.
pub(super) fn insert(from: u64, count: u64) -> String {
    let carriers = |field: &dyn Fn(&Carrier) -> String| list(CARRIERS.iter().map(field));
    let cities = |field: &dyn Fn(&City) -> String| list(CITIES.iter().map(field));
    // Each as often as it weighs: a position in this list is a draw.
    let weighed = |weights: Vec<u32>| {
        let positions = weights
            .into_iter()
            .zip(1..)
            .flat_map(|(weight, position)| (0..weight).map(move |_| position));
        list(positions.map(|position: usize| position.to_string()))
    };
    let carrier_draws = weighed(CARRIERS.iter().map(|carrier| carrier.share).collect());
    let origin_draws = weighed(CITIES.iter().map(|city| city.sends).collect());
    let dest_draws = weighed(CITIES.iter().map(|city| city.receives).collect());
    let code = carriers(&|carrier| format!("'{}'", carrier.code));
    let speed = carriers(&|carrier| carrier.speed.to_string());
    let locker = carriers(&|carrier| carrier.locker.to_string());
    let refused = carriers(&|carrier| carrier.refused.to_string());
    let failed = carriers(&|carrier| carrier.failed_attempt.to_string());
    let lost = carriers(&|carrier| carrier.lost.to_string());
    let area = cities(&|city| format!("'CN{}'", city.district_code()));
    let name = cities(&|city| format!("'{}'", city.district_name()));
    let longitude = cities(&|city| city.longitude.to_string());
    let latitude = cities(&|city| city.latitude.to_string());
    format!(
        "INSERT INTO courier.shipment (* EXCEPT (`event.origin`, `event.area`, last_push_at, reference, dest_carrier, dest_number, corrected_to)) SETTINGS max_insert_threads = 1
WITH
    now('UTC') AS moment,
    seed -> (cityHash64(number, seed) % 1000000 + 0.5) / 1000000 AS draw,
    {carrier_draws} AS carrier_draws, {origin_draws} AS origin_draws, {dest_draws} AS dest_draws,
    carrier_draws[1 + cityHash64(number, 1) % length(carrier_draws)] AS c,
    origin_draws[1 + cityHash64(number, 2) % length(origin_draws)] AS o,
    dest_draws[1 + cityHash64(number, 3) % length(dest_draws)] AS d,
    geoDistance({longitude}[o], {latitude}[o], {longitude}[d], {latitude}[d]) / 1000 AS km,
    if(draw(4) < 0.8, 'kuaidi100', 'kdniao') AS made_by,
    toDateTime(moment - toUInt32(draw(5) * {DAYS} * 86400), 'UTC') AS created,
    created + toUInt32(3600 * (0.5 + 8 * draw(6))) AS pickup,
    pickup + toUInt32(3600 * (1 + 6 * draw(7))) AS left,
    left + toUInt32(3600 * (4 + km / {speed}[c]) * exp(0.5 * (draw(8) + draw(9) + draw(10) + draw(11) - 2))) AS arrived,
    arrived + toUInt32(3600 * (2 + 10 * draw(12))) AS out,
    out + toUInt32(3600 * (0.5 + 6 * draw(13))) AS attempt,
    draw(14) < {lost}[c] AS is_lost,
    draw(15) < {refused}[c] AS is_refused,
    NOT is_refused AND draw(16) < {failed}[c] AS is_failed,
    NOT is_refused AND NOT is_failed AND draw(17) < {locker}[c] AS is_locker,
    multiIf(is_failed, attempt + toUInt32(86400 * (0.5 + draw(18))), is_locker, attempt + toUInt32(3600 * 20 * draw(18)), attempt) AS signed,
    -- Nothing has happened yet that lies in the future.
    time -> if(is_lost AND time > left OR time > moment, NULL, time) AS known,
    known(pickup) AS picked_up, known(out) AS went_out, known(attempt) AS attempted,
    if(is_refused, NULL, known(signed)) AS delivered,
    if(is_refused, known(attempt + 86400), NULL) AS turned, if(is_refused, known(attempt + 4 * 86400), NULL) AS back,
    isNotNull(attempted) AND (is_refused OR is_failed) AS is_exception,
    if(made_by = 'kdniao', if(is_refused, '404', '405'), if(is_refused, '203', '204')) AS exception_code,
    if(is_refused, 'REFUSED', 'DELIVERY_FAILED') AS exception_reason,
    multiIf(
        isNotNull(back), 'RETURNED', isNotNull(turned), 'RETURNING', isNotNull(delivered), 'DELIVERED', is_exception, 'EXCEPTION',
        isNotNull(attempted), 'AVAILABLE_FOR_PICKUP', isNotNull(went_out), 'OUT_FOR_DELIVERY', isNotNull(picked_up), 'IN_TRANSIT',
        'INFO_RECEIVED') AS now_status,
    arrayFilter(event -> isNotNull(event.1), [
        (known(created), 'INFO_RECEIVED', '101'), (picked_up, 'PICKED_UP', '103'), (known(left), 'IN_TRANSIT', '1002'),
        (known(left + toUInt32((arrived - left) / 3)), 'IN_TRANSIT', '1002'),
        (known(left + toUInt32((arrived - left) / 2)), 'IN_TRANSIT', '1002'), (known(arrived), 'IN_TRANSIT', '1001'),
        (known(arrived + 3600), 'IN_TRANSIT', '0'), (went_out, 'OUT_FOR_DELIVERY', '5'),
        (if(is_exception, attempted, NULL), 'EXCEPTION', exception_code),
        (if(is_locker, attempted, NULL), 'AVAILABLE_FOR_PICKUP', '501'), (delivered, 'DELIVERED', '301'),
        (turned, 'RETURNING', '6'), (back, 'RETURNED', '4')]) AS events,
    arrayMap(event -> assumeNotNull(event.1), events) AS times
SELECT
    made_by AS vendor, 'bench' AS account, {code}[c] AS carrier, concat(upper(carrier), leftPad(toString(number), 13, '0')) AS tracking_number,
    toDate(created) AS epoch, toUnixTimestamp(times[-1]) * 1000000 AS version, toDateTime64(created, 6, 'UTC') AS first_received_at,
    toDateTime64(times[-1], 6, 'UTC') AS received_at, now_status AS status,
    if(status = 'EXCEPTION', exception_reason, NULL) AS sub_status, events[-1].3 AS raw_code, if(isNull(turned), 'FORWARD', 'RETURN') AS leg,
    if(status IN ('DELIVERED', 'RETURNED'), 'ENDED', 'ACTIVE') AS tracking_state,
    {area}[o] AS origin_code, {name}[o] AS origin, {area}[d] AS dest_code, {name}[d] AS dest,
    created AS created_at, picked_up AS picked_up_at, known(left) AS left_origin_at, known(arrived) AS arrived_dest_at,
    went_out AS out_for_delivery_at, attempted AS first_attempt_at, if(is_locker, attempted, NULL) AS available_at, delivered AS delivered_at,
    turned AS returning_at, back AS returned_at, NULL AS cancelled_at, times[-1] AS last_event_at,
    if(number % 3 = 0, pickup + 200000, NULL) AS edd_first, edd_first AS edd_last,
    if(isNull(went_out), 0, 1 + is_failed) AS attempts, if(is_exception, [exception_code], []) AS exception_codes,
    if(is_exception, [exception_reason], []) AS exception_reasons, [] AS flags,
    arrayMap(place -> number * 16 + place, arrayEnumerate(times)) AS `event.id`, times AS `event.occurred_at`,
    arrayMap(time -> toString(time, 'Asia/Shanghai'), times) AS `event.local_time`, arrayMap(event -> event.2, events) AS `event.status`,
    arrayMap(event -> if(event.2 = 'EXCEPTION', exception_reason, event.2), events) AS `event.sub_status`,
    arrayMap(event -> event.3, events) AS `event.raw_code`, arrayMap(event -> 'ORIGIN', events) AS `event.segment`,
    arrayMap(event -> origin_code, events) AS `event.area_code`, arrayMap(event -> origin, events) AS `event.location`,
    arrayMap(event -> '', events) AS `event.context`
FROM numbers({from}, {count})"
    )
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}
