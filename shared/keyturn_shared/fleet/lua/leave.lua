-- KEYS nodes. ARGV node id. The node answers nothing any more.
return redis.call('HDEL', KEYS[1], ARGV[1])
