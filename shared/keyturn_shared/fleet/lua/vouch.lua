-- KEYS head. ARGV epoch, sequence, event id, lease ms, margin ms, closed nonce.
-- The relay found the head it read in the database: this Redis process may be trusted, and was looked at now.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'event_id')
if head[1] ~= ARGV[1] then return 'superseded' end
if head[2] ~= ARGV[2] or head[3] ~= ARGV[3] then return 'moved' end
local now = now_ms()
account_for_losses(KEYS[1], now, tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], false)
redis.call('HSET', KEYS[1], 'vouched', run_id(), 'stamped_at', text(now), 'lease_ms', ARGV[4],
  'margin_ms', ARGV[5], 'closed_nonce', '')
return 'vouched'
