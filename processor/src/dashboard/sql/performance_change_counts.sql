-- How many comparisons that is of: without it nobody can say what a list without rows means.
SELECT level, count() AS tested, countIf(is_beyond_chance) AS changed, max(to_date) AS to_date, max(refreshed_at) AS refreshed_at
FROM performance_change
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({origin:String} = '' OR origin = {origin:String})
    AND ({dest:String} = '' OR dest = {dest:String})
GROUP BY level
ORDER BY level
LIMIT 10
