-- KEYS head, events, claimants, projections. ARGV epoch, sequence, event id, event, lease ms, margin ms, closed
-- nonce, fresh, maxlen; run id and ms of the process that was looked at, and ms for which that is valid; the
-- signed statement about the head; the claimants, as for account_for_losses. Begins a new filling of Redis.
-- Refused unless the epoch is newer than any that Redis knows; the stream's own check of ids covers a deleted
-- head.
local known = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0')
if known >= tonumber(ARGV[1]) then return 'superseded' end
local now = now_ms()
if not add_event(KEYS[2], ARGV[9], ARGV[1] .. '-' .. ARGV[2], ARGV[4], text(now)) then return 'superseded' end
account_for_losses(KEYS[1], KEYS[3], now, tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8] == '1', ARGV)
redis.call('HSET', KEYS[1], 'event_id', ARGV[3], 'complete', '0', 'statement', ARGV[13], 'latest_sequence', '0',
  'latest_id', '')
redis.call('HSET', KEYS[4], COMPLETE_MARK, '1')
begin_epoch(KEYS[1], now, ARGV[1], ARGV[2], tonumber(ARGV[5]), tonumber(ARGV[6]))
return 'opened'
