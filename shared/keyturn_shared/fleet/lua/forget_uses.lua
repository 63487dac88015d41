-- KEYS last-used records of clients that were deleted.
return redis.call('UNLINK', unpack(KEYS))
