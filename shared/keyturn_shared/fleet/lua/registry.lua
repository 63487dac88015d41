-- KEYS head, nodes, events. ARGV sequence, or '' for the newest.
-- Everything a wait is judged by, at one moment: time, head, run id, node records, and when the event was
-- published (an upper bound where its entry was trimmed; '' when it is not published).
local head = redis.call('HGETALL', KEYS[1])
local epoch, newest, base, opened
for i = 1, #head, 2 do
  if head[i] == 'epoch' then epoch = head[i + 1] end
  if head[i] == 'sequence' then newest = tonumber(head[i + 1]) end
  if head[i] == 'base_sequence' then base = tonumber(head[i + 1]) end
  if head[i] == 'opened_at' then opened = head[i + 1] end
end
local published = ''
local asked = ARGV[1] ~= '' and tonumber(ARGV[1]) or newest
if epoch and newest >= asked then
  if asked <= base then
    published = opened
  else
    local entry = redis.call('XRANGE', KEYS[3], epoch .. '-' .. text(asked), '+', 'COUNT', 1)[1]
    published = text(now_ms())
    if entry then
      for i = 1, #entry[2], 2 do
        if entry[2][i] == 'published_at' then published = entry[2][i + 1] end
      end
    end
  end
end
return { now_ms(), head, run_id(), redis.call('HGETALL', KEYS[2]), published }
