-- KEYS records. Their values, false for missing ones.
return redis.call('MGET', unpack(KEYS))
