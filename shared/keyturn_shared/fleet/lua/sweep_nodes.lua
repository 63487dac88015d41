-- KEYS nodes. ARGV age in ms, lease and margin in ms. Deletes nodes whose lease expired that long ago. An
-- unreadable record becomes that of a node which has applied nothing and holds a lease for a full term from now.
local now, term = now_ms(), tonumber(ARGV[2]) + tonumber(ARGV[3])
local limit, forgotten = now - tonumber(ARGV[1]), 0
local records = redis.call('HGETALL', KEYS[1])
for i = 1, #records, 2 do
  local ends = lease_end(records[i + 1])
  if not ends then
    local unknown = { text(now + term), text(now), text(term), '0', '0', '{}' }
    redis.call('HSET', KEYS[1], records[i], table.concat(unknown, '|'))
  elseif ends < limit then
    forgotten = forgotten + redis.call('HDEL', KEYS[1], records[i])
  end
end
return forgotten
