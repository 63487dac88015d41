-- KEYS head, projections. ARGV epoch, then pairs of field and value "<sequence>:<json>" ('' removes).
-- Fills an epoch. A value is written only over an older one.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or not trusted(KEYS[1]) then return 'superseded' end
for i = 2, #ARGV, 2 do
  local present = redis.call('HGET', KEYS[2], ARGV[i])
  local stored = present and tonumber(string.match(present, '^(%d+):')) or -1
  if tonumber(string.match(ARGV[i + 1], '^(%d+):')) > stored then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
return 'written'
