-- KEYS due, retries. The length of each queue, how many of its entries are due, and for how many ms the first one
-- is.
local now = now_ms()
local depth = {}
for i = 1, 2 do
  local first = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')
  depth[3 * i - 2] = redis.call('ZCARD', KEYS[i])
  depth[3 * i - 1] = redis.call('ZCOUNT', KEYS[i], '-inf', now)
  depth[3 * i] = first[2] and text(math.max(0, now - tonumber(first[2]))) or '0'
end
return depth
