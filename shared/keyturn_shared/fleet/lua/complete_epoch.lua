-- KEYS head. ARGV epoch. All projections are written: from now on an absent one means there is no such thing.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or not trusted(KEYS[1]) then return 'superseded' end
redis.call('HSET', KEYS[1], 'complete', '1')
return 'completed'
