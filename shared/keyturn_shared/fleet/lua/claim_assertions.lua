-- KEYS head, then one mark per assertion. ARGV leeway ms, then pairs of ms to remember and latest ms at which it
-- can have been issued ("" never before). Marks each as used; per assertion 1 claimed, 0 used before,
-- 2 issued before the replay barrier. Refused as a whole when this Redis process is not trusted.
if not trusted(KEYS[1]) then return { 'untrusted' } end
local barrier = tonumber(redis.call('HGET', KEYS[1], 'replay_barrier') or '0')
local results = { 'claimed' }
for i = 2, #KEYS do
  local remember, issued = ARGV[2 * i - 2], tonumber(ARGV[2 * i - 1])
  if barrier > 0 and issued <= barrier + tonumber(ARGV[1]) then
    results[i] = 2
  elseif redis.call('SET', KEYS[i], '1', 'NX', 'PX', remember) then
    results[i] = 1
  else
    results[i] = 0
  end
end
return results
