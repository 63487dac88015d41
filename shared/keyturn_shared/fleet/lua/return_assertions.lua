-- KEYS head, then marks of used assertions. ARGV epoch, then ms to remember each. A node returns the marks it made
-- itself, to the Redis process of this epoch only.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or not trusted(KEYS[1]) then return 'superseded' end
for i = 2, #KEYS do redis.call('SET', KEYS[i], '1', 'NX', 'PX', ARGV[i]) end
return 'returned'
