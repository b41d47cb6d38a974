-- Provinces to provinces, with what a map can show.
SELECT
    origin, dest, parcels, delivered, sent_back, open, lost_presumed, settled, maturity, is_mature,
    transit_parcels, p50_hours, is_p50_sound, p90_hours, is_p90_sound,
    due_72h, rate_72h, rate_72h_low, rate_72h_high, sla_due, on_time_rate, on_time_rate_low, on_time_rate_high,
    exception_rate, exception_rate_low, exception_rate_high, return_rate, refreshed_at
FROM lane_transit(
    from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String},
    carrier = {carrier:String}, lane_level = 'province')
ORDER BY parcels DESC, origin, dest
LIMIT 2000
