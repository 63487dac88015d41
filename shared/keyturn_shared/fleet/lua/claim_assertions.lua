-- KEYS head, claimants, then the marks of each assertion. ARGV leeway ms, the claimant ('' for one that cannot
-- return its memory), then for each assertion the number of its marks, ms to remember them, and the latest ms at
-- which it can have been issued. Marks each as used. Returns the epoch, and per assertion 1 marked, 0 used before,
-- 2 issued before the replay barrier. Refuses everything if this Redis process is not trusted, or does not expect
-- this claimant.
if not trusted(KEYS[1]) then return { 'untrusted' } end
local head = redis.call('HMGET', KEYS[1], 'epoch', 'replay_barrier', 'replay_lost_at', 'claims_gated')
local barrier = tonumber(head[2] or '0')
if ARGV[2] == '' then
  barrier = math.max(barrier, tonumber(head[3] or '0'))
elseif head[4] == '1' and not redis.call('HGET', KEYS[2], ARGV[2]) then
  return { 'unexpected' }
end

-- Set every mark, even if another one exists: a node may look for any one of them.
local function claim(first, marks, remember)
  local claimed = 1
  for at = first, first + marks - 1 do
    if not redis.call('SET', KEYS[at], '1', 'NX', 'PX', remember) then claimed = 0 end
  end
  return claimed
end

local results, key = { 'claimed', head[1] }, 3
for i = 3, #ARGV, 3 do
  local marks, issued = tonumber(ARGV[i]), tonumber(ARGV[i + 2])
  if barrier > 0 and issued <= barrier + tonumber(ARGV[1]) then
    results[#results + 1] = 2
  else
    results[#results + 1] = claim(key, marks, ARGV[i + 1])
  end
  key = key + marks
end
return results
