-- KEYS records. Their values, false for those that are not there.
return redis.call('MGET', unpack(KEYS))
