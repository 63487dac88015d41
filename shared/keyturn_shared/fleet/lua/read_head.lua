-- KEYS head. Returns the hash as a flat list, the run id, and the time.
return { redis.call('HGETALL', KEYS[1]), run_id(), now_ms() }
