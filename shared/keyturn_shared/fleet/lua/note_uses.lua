-- KEYS last-used records, one for each use. ARGV seconds for which they are kept, maximum of credentials in one,
-- then pairs of name and time. Beyond that maximum, the credentials used longest ago are dropped.
local most = tonumber(ARGV[2])

local function prune(record)
  local excess = redis.call('HLEN', record) - most
  if excess <= 0 then return end
  local fields, uses = redis.call('HGETALL', record), {}
  for i = 1, #fields, 2 do uses[#uses + 1] = { fields[i], tonumber(fields[i + 1]) or 0 } end
  table.sort(uses, function(a, b) return a[2] < b[2] end)
  for i = 1, excess do redis.call('HDEL', record, uses[i][1]) end
end

for i = 1, #KEYS do
  redis.call('HSET', KEYS[i], ARGV[2 * i + 1], ARGV[2 * i + 2])
  redis.call('EXPIRE', KEYS[i], ARGV[1])
  prune(KEYS[i])
end
return 'noted'
