-- KEYS head, events. ARGV epoch, sequence, event id, event, lease ms, margin ms, closed nonce, fresh, maxlen.
-- Begins a new filling of Redis. Refused unless the epoch is newer than any that Redis knows; the stream's own
-- check of ids covers a head that was deleted.
local known = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0')
if known >= tonumber(ARGV[1]) then return 'superseded' end
local now = now_ms()
if not add_event(KEYS[2], ARGV[9], ARGV[1] .. '-' .. ARGV[2], ARGV[4], text(now)) then return 'superseded' end
account_for_losses(KEYS[1], now, tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8] == '1')
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'sequence', ARGV[2], 'event_id', ARGV[3], 'complete', '0',
  'base_sequence', ARGV[2], 'opened_at', text(now), 'stamped_at', text(now),
  'lease_ms', ARGV[5], 'margin_ms', ARGV[6], 'vouched', run_id(), 'closed_nonce', '')
return 'opened'
