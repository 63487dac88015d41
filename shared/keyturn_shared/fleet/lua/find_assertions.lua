-- KEYS head, then the marks of one assertion. ARGV leeway ms, the latest ms at which it can have been issued. Returns what
-- claim_assertions would return for it to a claimant, and marks nothing: 1 unused, 0 used before, 2 issued before the
-- replay barrier.
if not trusted(KEYS[1]) then return { 'untrusted' } end
local barrier = tonumber(redis.call('HGET', KEYS[1], 'replay_barrier') or '0')
if barrier > 0 and tonumber(ARGV[2]) <= barrier + tonumber(ARGV[1]) then return { 'found', 2 } end
for at = 2, #KEYS do
  if redis.call('EXISTS', KEYS[at]) == 1 then return { 'found', 0 } end
end
return { 'found', 1 }
