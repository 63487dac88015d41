-- KEYS head, events, projections. ARGV epoch, sequence, event id, id of the event before it in the database's log,
-- event, maxlen; id of the latest event that projections here come from, then sequence and id of the latest one
-- afterwards; pairs of field and value
-- "<sequence>:<json>", or "<sequence>:" for a deletion. Writes event and projections together, in order, once.
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 'superseded' end
if not trusted(KEYS[1]) then return 'untrusted' end
local sequence = tonumber(ARGV[2])
local newest = tonumber(redis.call('HGET', KEYS[1], 'sequence'))
local newest_id = redis.call('HGET', KEYS[1], 'event_id')
-- The database may have been set back, and have other events under the numbers that are here.
if sequence == newest and newest_id ~= ARGV[3] then return 'diverged' end
if sequence <= newest then return 'duplicate' end
if sequence ~= newest + 1 then return 'gap' end
if newest_id ~= ARGV[4] then return 'diverged' end
if not latest_is(KEYS[1], newest, ARGV[7]) then return 'diverged' end
if not add_event(KEYS[2], ARGV[6], ARGV[1] .. '-' .. ARGV[2], ARGV[5], text(now_ms())) then return 'diverged' end
for i = 10, #ARGV, 2 do
  local present = redis.call('HGET', KEYS[3], ARGV[i])
  local stored = present and tonumber(string.match(present, '^(%d+):')) or -1
  local offered, body = string.match(ARGV[i + 1], '^(%d+):(.*)$')
  if tonumber(offered) > stored then
    if body == '' then
      redis.call('HDEL', KEYS[3], ARGV[i])
    else
      redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
    end
  end
end
note_latest(KEYS[1], ARGV[8], ARGV[9])
redis.call('HSET', KEYS[1], 'sequence', ARGV[2], 'event_id', ARGV[3])
return 'published'
