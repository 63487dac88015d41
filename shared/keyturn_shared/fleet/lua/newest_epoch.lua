-- KEYS head, events. The newest epoch known here; the stream may outlive a deleted head.
local newest = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0')
if redis.call('EXISTS', KEYS[2]) == 1 then
  local stream = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then
      newest = math.max(newest, tonumber(string.match(stream[i + 1], '^(%d+)')))
    end
  end
end
return newest
