-- Included before every script. Times are milliseconds of this Redis' clock.

-- A former primary answers reads until its clients leave. This error makes them look for the new one.
local identity = redis.call('INFO', 'server', 'replication')
if not string.find(identity, 'role:master', 1, true) then
  return redis.error_reply('READONLY this Redis is a replica')
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function text(number)
  return string.format('%.0f', number)
end

-- The identity of this Redis process. It changes with every restart and failover, whatever the data say.
local function run_id()
  return string.match(identity, 'run_id:(%w+)')
end

-- XADD refuses an id that is not newer than all before. Other errors (a primary that lost its replicas and accepts
-- no writes, memory exhausted) say nothing about the id, and are passed on.
local function add_event(stream, maxlen, id, event, published_at)
  local added = redis.pcall('XADD', stream, 'MAXLEN', '~', maxlen, id, '__data__', event,
    'published_at', published_at)
  if type(added) == 'table' and added.err then
    if string.find(added.err, 'equal or smaller', 1, true) then return false end
    error(added.err)
  end
  return true
end

-- A field among the projections, the first of an epoch: without it, a missing field may have been lost with the
-- others. The head says for which epoch it was set; relays of earlier releases set none.
local COMPLETE_MARK = 'complete'

local function lost_projections(epoch, marked, projections)
  return marked == epoch and not redis.call('HGET', projections, COMPLETE_MARK)
end

local function trusted(head)
  local vouched = redis.call('HGET', head, 'vouched')
  return vouched and vouched ~= '' and vouched == run_id()
end

-- A projection may be newer than the head: it comes from an event that is published later. If the database is set
-- back before that, the event is lost, and the projection is of another log. So the newest such event is kept with
-- the head, and who writes for an event must have seen that the database still has it.
local function latest_is(head, newest, known_id)
  local latest = redis.call('HMGET', head, 'latest_sequence', 'latest_id')
  return tonumber(latest[1] or '0') <= newest or latest[2] == known_id
end

local function note_latest(head, sequence, id)
  if tonumber(sequence) > tonumber(redis.call('HGET', head, 'latest_sequence') or '0') then
    redis.call('HSET', head, 'latest_sequence', sequence, 'latest_id', id)
  end
end

-- Duration of leases from now on. Nodes may hold longer ones, which their next record does not show: if the
-- duration becomes shorter, waits must outlast those.
local function set_terms(head, now, lease_ms, margin_ms)
  local known = redis.call('HMGET', head, 'lease_ms', 'margin_ms', 'waits_after')
  local term = tonumber(known[1] or '0') + tonumber(known[2] or '0')
  if term > lease_ms + margin_ms then
    redis.call('HSET', head, 'waits_after', text(math.max(now + term, tonumber(known[3] or '0'))))
  end
  redis.call('HSET', head, 'lease_ms', text(lease_ms), 'margin_ms', text(margin_ms))
end

-- From now on this Redis process is trusted, in this epoch only.
local function begin_epoch(head, now, epoch, sequence, lease_ms, margin_ms)
  set_terms(head, now, lease_ms, margin_ms)
  redis.call('HSET', head, 'epoch', epoch, 'sequence', sequence, 'base_sequence', sequence, 'opened_at', text(now),
    'stamped_at', text(now), 'vouched', run_id(), 'closed_nonce', '')
end

-- Assertions issued so far are refused, because their marks may be lost. If the relay knows the claimants, the
-- barrier falls to its lower bound once all of them have returned their memory; the bound is the time when the
-- last claimant was dropped whose memory is lost.
local function raise_barrier(head, claimants, now, known, nodes)
  local barrier, floor = now, tonumber(known) or now
  if known ~= '' then
    for _, node in ipairs(nodes) do redis.call('HSET', claimants, node, '0') end
    if #nodes == 0 then barrier = floor end
  end
  redis.call('HSET', head, 'replay_barrier', text(barrier), 'replay_floor', text(floor),
    'replay_lost_at', text(now), 'claims_forgotten', text(floor))
end

-- Called before this Redis process is vouched for. Leases and used assertions known to another process may be
-- lost: waits must outlast those leases, and assertions issued so far are refused. The relay read at the moment
-- read_at in the process read_in that no lease was ever granted, that the fleet was shut down cleanly, or who the
-- claimants are. A relay that was stopped since then for longer than it is certain to relay alone no longer knows
-- this. Arguments from the tenth on: the process, the moment, for how many ms it is valid, a statement, when a
-- claimant was last dropped ('' if unknown), and the claimants.
local function account_for_losses(head, claimants, now, lease_ms, margin_ms, closed_nonce, fresh, arguments)
  if trusted(head) then return end
  local read_in, read_at, alone_ms, _, known = unpack(arguments, 10, 14)
  if read_in ~= run_id() or now - tonumber(read_at) > tonumber(alone_ms) then
    closed_nonce, fresh, known = '', false, ''
  end
  redis.call('UNLINK', claimants)
  redis.call('HSET', head, 'claims_gated', '1', 'claims_kept_at', '0')
  local nonce = redis.call('HGET', head, 'closed_nonce')
  local nothing_written_since = nonce and nonce ~= '' and nonce == closed_nonce
  if closed_nonce == '' and not fresh then
    redis.call('HSET', head, 'waits_after', text(now + lease_ms + margin_ms))
  end
  if not nothing_written_since and not fresh then
    raise_barrier(head, claimants, now, known, { unpack(arguments, 15) })
  elseif nothing_written_since then
    -- Every node has left, and took its memory along.
    redis.call('HSET', head, 'replay_floor', redis.call('HGET', head, 'replay_barrier') or '0',
      'claims_forgotten', text(now))
  end
end

-- Expiry of a node's lease. Nil for an unreadable record: every holder of a record can write any.
local function lease_end(record)
  local numbers = { string.match(record, '^(%d+)|(%d+)|(%d+)|(%d+)|(%d+)|') }
  for _, number in ipairs(numbers) do
    if #number > 16 then return nil end
  end
  return tonumber(numbers[1])
end

-- The newest epoch that a node says it is in; 0 when there is none. A record may hold anything, so numbers that are too
-- long to be counted on are left out.
local function newest_epoch_of_nodes(nodes)
  local newest = 0
  for _, record in ipairs(redis.call('HVALS', nodes)) do
    local epoch = string.match(record, '^%d+|%d+|%d+|(%d+)|')
    if epoch and #epoch <= 15 then newest = math.max(newest, tonumber(epoch)) end
  end
  return newest
end
