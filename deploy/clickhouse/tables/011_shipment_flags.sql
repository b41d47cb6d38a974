-- The list of flags as it is now (rule 10.7).

ALTER TABLE {database}.shipment COMMENT COLUMN flags 'What to know before trusting the figures, sorted: bad_time, cross_border, delivery_revoked, future_time, lane_inferred, pickup_imputed, post_terminal_scan, return_signed, route_loop, status_inferred, truncated, tz_assumed, unknown_code';
