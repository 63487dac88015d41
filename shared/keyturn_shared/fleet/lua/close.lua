-- KEYS head, nodes. ARGV epoch, nonce. Ends trust for a clean shutdown: only if no node holds a lease, and none
-- gets one until the relay vouches for Redis again.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or not trusted(KEYS[1]) then return 'superseded' end
local now = now_ms()
for _, record in ipairs(redis.call('HVALS', KEYS[2])) do
  if (lease_end(record) or math.huge) > now then return 'nodes_alive' end
end
if now < tonumber(redis.call('HGET', KEYS[1], 'waits_after') or '0') then return 'nodes_alive' end
redis.call('HSET', KEYS[1], 'vouched', '', 'closed_nonce', ARGV[2])
return 'closed'
