-- The carriers compared, with the view's figures. Columns are listed, because planning all of them takes twice as long.
SELECT
    carrier, parcels, cancelled, delivered, sent_back, open, lost_presumed, lost_due, settled, maturity, is_mature,
    transit_parcels, p50_hours, is_p50_sound, p90_hours, is_p90_sound, p95_hours, is_p95_sound,
    due_48h, rate_48h, rate_48h_low, rate_48h_high, due_72h, rate_72h, rate_72h_low, rate_72h_high,
    sla_parcels, sla_due, on_time_maturity, is_on_time_mature, on_time_rate, on_time_rate_low, on_time_rate_high,
    settled_attempted, settled_attempt_hours, first_attempt_cn_rate, first_attempt_cn_rate_low, first_attempt_cn_rate_high,
    exception_rate, exception_rate_low, exception_rate_high, return_rate, return_rate_low, return_rate_high,
    settled_reached, locker_share, locker_share_low, locker_share_high,
    locker_parcels, locker_p50_hours, locker_overdue_rate, locker_overdue_rate_low, locker_overdue_rate_high,
    eta_parcels, eta_due, eta_hit_rate, eta_hit_rate_low, eta_hit_rate_high, eta_bias_hours, eta_mae_hours,
    pickup_wait_parcels, pickup_wait_hours, origin_parcels, origin_hours, linehaul_parcels, linehaul_hours,
    destination_parcels, destination_hours, last_mile_parcels, last_mile_hours, refreshed_at
FROM carrier_scorecard(
    from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String})
WHERE empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier)
ORDER BY parcels DESC, carrier
LIMIT 200
