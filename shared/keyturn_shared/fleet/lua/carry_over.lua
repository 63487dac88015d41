-- KEYS head, events, claimants, projections of the former epoch, projections of the new one. ARGV former epoch,
-- its sequence and event id as they were read; then maxlen, new epoch, event, lease ms, margin ms, closed nonce;
-- run id and ms of the process in which they were read, and ms for which that is valid; the signed statement about
-- the head; the claimants, as for account_for_losses. As far as the database knows, another Redis process holds
-- everything that the epoch's own process held. That process may have shown more, so no position is reused: a new
-- epoch continues with the existing projections.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'event_id')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] or head[3] ~= ARGV[3] or run_id() ~= ARGV[10] then return 'moved' end
if tonumber(head[1]) >= tonumber(ARGV[5]) then return 'superseded' end
local now = now_ms()
if not add_event(KEYS[2], ARGV[4], ARGV[5] .. '-' .. ARGV[2], ARGV[6], text(now)) then return 'superseded' end
account_for_losses(KEYS[1], KEYS[3], now, tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], false, ARGV)
if redis.call('HGET', KEYS[1], 'marked') == ARGV[1] then redis.call('HSET', KEYS[1], 'marked', ARGV[5]) end
if redis.call('EXISTS', KEYS[4]) == 1 then redis.call('RENAME', KEYS[4], KEYS[5]) end
redis.call('HSET', KEYS[1], 'statement', ARGV[13])
begin_epoch(KEYS[1], now, ARGV[5], ARGV[2], tonumber(ARGV[7]), tonumber(ARGV[8]))
return 'opened'
