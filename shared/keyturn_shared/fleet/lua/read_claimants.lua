-- KEYS head, claimants, nodes. Returns the head, run id and time, the claimants, and the nodes' records.
return { redis.call('HGETALL', KEYS[1]), run_id(), now_ms(), redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]) }
