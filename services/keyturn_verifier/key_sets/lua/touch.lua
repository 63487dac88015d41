-- KEYS due, retries, used. ARGV pairs of id and ms until it is due. Clients use these key sets: poll them.
local now = now_ms()
for i = 1, #ARGV, 2 do
  local id = ARGV[i]
  redis.call('HSET', KEYS[3], id, text(now))
  if not redis.call('ZSCORE', KEYS[1], id) and not redis.call('ZSCORE', KEYS[2], id) then
    redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[i + 1])), id)
  end
end
return #ARGV / 2
