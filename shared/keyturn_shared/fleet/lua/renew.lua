-- KEYS head, nodes. ARGV node id, epoch, sequence, details (JSON). The node reports what it has applied and
-- requests a lease. Record: expires|renewed|lease|epoch|sequence|details.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'complete', 'lease_ms', 'margin_ms',
  'stamped_at', 'event_id', 'statement')
local now = now_ms()
if not head[1] then return { 'empty', now } end
local lease, margin = tonumber(head[4]), tonumber(head[5])
if not trusted(KEYS[1]) then return { 'untrusted', now, head[1], head[2] } end
redis.call('HSET', KEYS[2], ARGV[1], table.concat({ text(now + lease + margin), text(now), text(lease + margin),
  ARGV[2], ARGV[3], ARGV[4] }, '|'))
return { 'renewed', now, head[1], head[2], head[3], head[4], tostring(head[6]), head[7], head[8] }
