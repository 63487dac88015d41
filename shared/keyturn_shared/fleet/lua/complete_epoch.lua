-- KEYS head, projections. ARGV epoch. All projections are written: from now on a missing one means that the object
-- does not exist.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or not trusted(KEYS[1]) then return 'superseded' end
-- Lost while they were written: those from before the loss are missing.
if not redis.call('HGET', KEYS[2], COMPLETE_MARK) then return 'lost' end
redis.call('HSET', KEYS[1], 'complete', '1', 'marked', ARGV[1])
return 'completed'
