-- All of these carriers together. A share times its denominator is the count that it was made of.
SELECT
    sum(parcels) AS parcels,
    sum(delivered) AS delivered,
    sum(sent_back) AS sent_back,
    sum(open) AS open,
    sum(lost_presumed) AS lost_presumed,
    sum(settled) AS settled,
    if(parcels = 0, NULL, delivered / parcels) AS delivered_share,
    sum(ifNull(card.rate_48h, 0) * card.due_48h) / nullIf(sum(card.due_48h), 0) AS rate_48h,
    sum(ifNull(card.on_time_rate, 0) * card.sla_due) / nullIf(sum(card.sla_due), 0) AS on_time_rate,
    sum(ifNull(card.exception_rate, 0) * card.settled) / nullIf(sum(card.settled), 0) AS exception_rate,
    min(card.refreshed_at) AS refreshed_at
FROM carrier_scorecard(
    from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String}) AS card
WHERE empty({carriers:Array(String)}) OR has({carriers:Array(String)}, card.carrier)
HAVING parcels > 0
