-- KEYS head, claimants, nodes. ARGV epoch, run id and ms at which they were read, ms for which that is valid, the
-- relay's name, then pairs of order ('admit', 'forget', 'returned') and node id. A claimant's value is '0' while
-- its memory is awaited, else '1'. 'untrusted': what was read is lost, and an epoch must be opened.
if not trusted(KEYS[1]) then return { 'untrusted' } end
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return { 'superseded' } end
local now, alone = now_ms(), tonumber(ARGV[4])
if run_id() ~= ARGV[2] or now - tonumber(ARGV[3]) > alone then return { 'late' } end
local head = redis.call('HMGET', KEYS[1], 'claims_keeper', 'claims_kept_at', 'claims_gated', 'replay_barrier',
  'replay_floor', 'claims_forgotten', 'replay_lost_at')
if head[1] and head[1] ~= ARGV[5] and now - tonumber(head[2]) <= alone then return { 'kept_by_another' } end
local barrier, forgotten = tonumber(head[4] or '0'), tonumber(head[6] or '0')
local floor = tonumber(head[5] or head[4] or '0')
local lost_at = tonumber(head[7] or '0')
-- Opened by an earlier release: the claimants so far are unknown.
if head[3] ~= '1' or barrier > lost_at then forgotten, floor, lost_at = now, barrier, math.max(barrier, lost_at) end

local function forget(node)
  local record = redis.call('HGET', KEYS[3], node)
  if record and (lease_end(record) or math.huge) > now then return end
  if redis.call('HGET', KEYS[2], node) == '0' then floor = barrier end
  if redis.call('HDEL', KEYS[2], node) == 1 then forgotten = now end
end

for i = 6, #ARGV, 2 do
  local node = ARGV[i + 1]
  if ARGV[i] == 'admit' then
    redis.call('HSETNX', KEYS[2], node, '1')
  elseif ARGV[i] == 'forget' then
    forget(node)
  elseif redis.call('HGET', KEYS[2], node) == '0' then
    redis.call('HSET', KEYS[2], node, '1')
  end
end
local awaited = false
for _, value in ipairs(redis.call('HVALS', KEYS[2])) do awaited = awaited or value == '0' end
if not awaited then barrier = math.min(barrier, floor) end
redis.call('HSET', KEYS[1], 'claims_keeper', ARGV[5], 'claims_kept_at', text(now), 'claims_gated', '1',
  'replay_barrier', text(barrier), 'replay_floor', text(floor), 'claims_forgotten', text(forgotten),
  'replay_lost_at', text(lost_at))
return { 'kept', text(forgotten), redis.call('HGETALL', KEYS[2]) }
