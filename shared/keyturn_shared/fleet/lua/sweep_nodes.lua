-- KEYS nodes. ARGV age in ms. Forgets nodes whose lease ran out that long ago.
local limit, forgotten = now_ms() - tonumber(ARGV[1]), 0
local records = redis.call('HGETALL', KEYS[1])
for i = 1, #records, 2 do
  if tonumber(string.match(records[i + 1], '^(%d+)')) < limit then
    forgotten = forgotten + redis.call('HDEL', KEYS[1], records[i])
  end
end
return forgotten
