-- How many carriers and lanes are better or worse than before, for the metrics: of a carrier itself 1, of its lanes how many.
SELECT level, carrier, measure, if(is_worse, 'worse', 'better') AS direction, count() AS changes
FROM performance_change
WHERE is_beyond_chance
GROUP BY level, carrier, measure, direction
ORDER BY level, carrier, measure, direction
LIMIT 5000
