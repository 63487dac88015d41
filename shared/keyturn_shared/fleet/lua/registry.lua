-- KEYS head, nodes, events. ARGV requested sequences, '' for the newest. Returns everything for evaluating waits,
-- at one moment: time, head, run id, node records, and for each sequence the publication of its event (an upper
-- bound if its entry was trimmed; '' if unpublished).
local head = redis.call('HGETALL', KEYS[1])
local epoch, newest, base, opened
for i = 1, #head, 2 do
  if head[i] == 'epoch' then epoch = head[i + 1] end
  if head[i] == 'sequence' then newest = tonumber(head[i + 1]) end
  if head[i] == 'base_sequence' then base = tonumber(head[i + 1]) end
  if head[i] == 'opened_at' then opened = head[i + 1] end
end
local now = now_ms()
local function published_at(asked)
  if not epoch or newest < asked then return '' end
  if asked <= base then return opened end
  local entry = redis.call('XRANGE', KEYS[3], epoch .. '-' .. text(asked), '+', 'COUNT', 1)[1]
  if entry then
    for i = 1, #entry[2], 2 do
      if entry[2][i] == 'published_at' then return entry[2][i + 1] end
    end
  end
  return text(now)
end
local published = {}
for i = 1, #ARGV do
  published[i] = published_at(ARGV[i] ~= '' and tonumber(ARGV[i]) or newest)
end
return { now, head, run_id(), redis.call('HGETALL', KEYS[2]), published }
