-- KEYS head, events, nodes. The newest epoch known here; the stream may outlive a deleted head, and nodes may know a newer
-- one than this Redis does.
local newest = math.max(tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0'), newest_epoch_of_nodes(KEYS[3]))
if redis.call('EXISTS', KEYS[2]) == 1 then
  local stream = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then
      newest = math.max(newest, tonumber(string.match(stream[i + 1], '^(%d+)')))
    end
  end
end
return newest
