-- KEYS head, events, projections of the epoch that was, projections of the new one. ARGV epoch that was, its
-- sequence, event id, and run id as they were read; then new epoch, event, lease ms, margin ms, closed nonce, maxlen,
-- ms at which they were read, and ms for which that counts.
-- Another Redis process holds what the epoch's own process held, as far as the database knows. That process may
-- have shown more, so no position is named twice: a new epoch goes on with the projections that are there.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'event_id')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] or head[3] ~= ARGV[3] or run_id() ~= ARGV[4] then return 'moved' end
if tonumber(head[1]) >= tonumber(ARGV[5]) then return 'superseded' end
local now = now_ms()
if not add_event(KEYS[2], ARGV[10], ARGV[5] .. '-' .. ARGV[2], ARGV[6], text(now)) then return 'superseded' end
account_for_losses(KEYS[1], now, tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], false, ARGV[4],
  ARGV[11], ARGV[12])
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) end
begin_epoch(KEYS[1], now, ARGV[5], ARGV[2], tonumber(ARGV[7]), tonumber(ARGV[8]))
return 'opened'
