-- KEYS head, queue, used. ARGV prefix, number of an id's characters that stand for its host, token, count, lease
-- ms, idle ms, polls of one host, ms until a busy host is tried again, random number in [0, 1). Leases due key
-- sets: each is due again when the lease expires, so a worker that dies blocks nothing.
local now = now_ms()
local prefix, wanted, claim = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5])
local idle, host_limit, random = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[9])
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence')
local claimed = {}
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'WITHSCORES', 'LIMIT', 0, wanted * 4)
for i = 1, #due, 2 do
  if #claimed == wanted * 4 then break end
  local id, score = due[i], tonumber(due[i + 1])
  local name = prefix .. 'keyset:' .. id
  local flight = name .. ':flight'
  local host = prefix .. 'keyset-host:' .. string.sub(id, 1, tonumber(ARGV[2]))
  local used = tonumber(redis.call('HGET', KEYS[3], id) or '0')
  local landing = in_flight_until(flight)
  if used + idle < now then
    redis.call('ZREM', KEYS[2], id)
    redis.call('HDEL', KEYS[3], id)
  elseif landing > now then
    redis.call('ZADD', KEYS[2], text(landing), id)
  elseif fetches_of_host(host, now) >= host_limit then
    random = (random + 0.618) % 1
    redis.call('ZADD', KEYS[2], text(now + tonumber(ARGV[8]) * (0.5 + random)), id)
  else
    local record = redis.call('GET', name)
    if record then
      start_fetch(flight, host, id, ARGV[3], now, claim)
      redis.call('ZADD', KEYS[2], text(now + claim), id)
      local generation = attempt_of(record)
      local position = #claimed
      claimed[position + 1] = id
      claimed[position + 2] = text(math.max(now, generation + 1))
      claimed[position + 3] = text(now - score)
      claimed[position + 4] = record
    else
      redis.call('ZREM', KEYS[2], id)
      redis.call('HDEL', KEYS[3], id)
    end
  end
end
local following = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local pause = following[2] and text(math.max(0, tonumber(following[2]) - now)) or ''
return { head[1] or '0', head[2] or '0', pause, claimed }
