-- KEYS head, projections. ARGV their epoch. Never deletes those of the active epoch.
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[2])
