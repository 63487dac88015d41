-- KEYS head. ARGV epoch, ms of this Redis' clock, lease ms, margin ms, signed statement about the head. The relay
-- found the head in the database, which it read after that moment.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 'superseded' end
if not trusted(KEYS[1]) then return 'untrusted' end
redis.call('HSET', KEYS[1], 'stamped_at', ARGV[2], 'statement', ARGV[5])
set_terms(KEYS[1], now_ms(), tonumber(ARGV[3]), tonumber(ARGV[4]))
return 'stamped'
