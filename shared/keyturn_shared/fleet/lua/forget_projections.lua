-- KEYS head, projections. ARGV their epoch. Never those of the epoch in force.
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[2])
