-- KEYS nodes. ARGV node id. The node has stopped answering.
return redis.call('HDEL', KEYS[1], ARGV[1])
