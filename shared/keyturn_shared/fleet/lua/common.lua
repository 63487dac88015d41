-- Put before every script. Times are milliseconds of this Redis' clock.

-- A former primary answers reads until its clients are gone; said in this way, they look for the new one.
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

-- The identity of this Redis process. It changes with every restart and fail-over, whatever the data say.
local function run_id()
  return string.match(identity, 'run_id:(%w+)')
end

-- XADD refuses an id that is not newer than all before. Other errors (a primary that lost its replicas and
-- takes no writes, memory that ran out) are no judgement of the id, and are passed on.
local function add_event(stream, maxlen, id, event, published_at)
  local added = redis.pcall('XADD', stream, 'MAXLEN', '~', maxlen, id, '__data__', event,
    'published_at', published_at)
  if type(added) == 'table' and added.err then
    if string.find(added.err, 'equal or smaller', 1, true) then return false end
    error(added.err)
  end
  return true
end

local function trusted(head)
  local vouched = redis.call('HGET', head, 'vouched')
  return vouched and vouched ~= '' and vouched == run_id()
end

-- Leases last so long from now on. Nodes may hold longer ones, of which their next record says nothing: where the
-- term becomes shorter, waits have to outlast those.
local function set_terms(head, now, lease_ms, margin_ms)
  local known = redis.call('HMGET', head, 'lease_ms', 'margin_ms', 'waits_after')
  local term = tonumber(known[1] or '0') + tonumber(known[2] or '0')
  if term > lease_ms + margin_ms then
    redis.call('HSET', head, 'waits_after', text(math.max(now + term, tonumber(known[3] or '0'))))
  end
  redis.call('HSET', head, 'lease_ms', text(lease_ms), 'margin_ms', text(margin_ms))
end

-- From now on this Redis process is trusted, in this epoch and no other.
local function begin_epoch(head, now, epoch, sequence, lease_ms, margin_ms)
  set_terms(head, now, lease_ms, margin_ms)
  redis.call('HSET', head, 'epoch', epoch, 'sequence', sequence, 'base_sequence', sequence, 'opened_at', text(now),
    'stamped_at', text(now), 'vouched', run_id(), 'closed_nonce', '')
end

-- Called before this Redis process is vouched for. Leases and used assertions that another process knew of
-- may be lost: waits then have to outlast the leases, and assertions issued so far are refused.
-- That no lease was ever given, or that the fleet was closed in good order, the relay read in the database, at the
-- moment read_at of the process read_in. A relay that was stopped since then for longer than it alone relays
-- does not know it any more.
local function account_for_losses(head, now, lease_ms, margin_ms, closed_nonce, fresh, read_in, read_at, alone_ms)
  if trusted(head) then return end
  if read_in ~= run_id() or now - tonumber(read_at) > tonumber(alone_ms) then
    closed_nonce, fresh = '', false
  end
  local nonce = redis.call('HGET', head, 'closed_nonce')
  local nothing_written_since = nonce and nonce ~= '' and nonce == closed_nonce
  if closed_nonce == '' and not fresh then
    redis.call('HSET', head, 'waits_after', text(now + lease_ms + margin_ms))
  end
  if not nothing_written_since and not fresh then
    redis.call('HSET', head, 'replay_barrier', text(now))
  end
end
