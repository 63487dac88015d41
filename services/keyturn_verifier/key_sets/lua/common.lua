-- Included before every script of key sets, after the fleet's common part. A record begins with
-- "<generation>:<failures>:"; the generation is the ms at which its last attempt began.
local function attempt_of(record)
  if not record then return 0, 0 end
  local generation, failures = string.match(record, '^(%d+):(%d+):')
  return tonumber(generation or '0'), tonumber(failures or '0')
end

-- Active leases of one host. Expired ones belong to workers that died.
local function fetches_of_host(host, now)
  redis.call('ZREMRANGEBYSCORE', host, '-inf', now)
  return redis.call('ZCARD', host)
end

local function in_flight_until(flight)
  return tonumber(redis.call('HGET', flight, 'until') or '0')
end

-- Remaining fetches for unknown kids: at most burst, one more every interval.
local function allowance(flight, now, interval, burst)
  local state = redis.call('HMGET', flight, 'tokens', 'counted_at')
  if not state[1] then return burst end
  return math.min(burst, tonumber(state[1]) + math.max(0, now - tonumber(state[2])) / interval)
end

local function keep_allowance(flight, tokens, now, interval, burst, claim)
  redis.call('HSET', flight, 'tokens', string.format('%.4f', tokens), 'counted_at', text(now))
  redis.call('PEXPIRE', flight, text(math.max(claim, interval * (burst - tokens)) + 1000))
end

local function start_fetch(flight, host, id, token, now, claim)
  redis.call('HSET', flight, 'claim', token, 'until', text(now + claim), 'awaited', '0')
  if redis.call('PTTL', flight) < claim then redis.call('PEXPIRE', flight, text(claim + 1000)) end
  redis.call('ZADD', host, text(now + claim), id)
  redis.call('PEXPIRE', host, text(claim + 1000))
end
