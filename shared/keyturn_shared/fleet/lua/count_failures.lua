-- KEYS counts. ARGV window ms, then how many to add to each. Returns per count its total and the ms left of its
-- window.
local results = {}
for i = 1, #KEYS do
  local total = redis.call('INCRBY', KEYS[i], ARGV[i + 1])
  local left = redis.call('PTTL', KEYS[i])
  if left < 0 then
    redis.call('PEXPIRE', KEYS[i], ARGV[1])
    left = tonumber(ARGV[1])
  end
  results[2 * i - 1] = total
  results[2 * i] = left
end
return results
