-- KEYS head, projections. ARGV epoch; id of the latest event that projections here come from, sequence and id of the
-- latest one afterwards; pairs of field and value "<sequence>:<json>". Fills an epoch. A value replaces only an older
-- one.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or not trusted(KEYS[1]) then return 'superseded' end
local newest = tonumber(redis.call('HGET', KEYS[1], 'sequence'))
if not latest_is(KEYS[1], newest, ARGV[2]) then return 'diverged' end
note_latest(KEYS[1], ARGV[3], ARGV[4])
for i = 5, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 1]) == 0 then
    local stored = string.match(redis.call('HGET', KEYS[2], ARGV[i]), '^(%d+):')
    if tonumber(string.match(ARGV[i + 1], '^(%d+):')) > tonumber(stored) then
      redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
    end
  end
end
return 'written'
