-- KEYS: those of the commands. ARGV: for each command the number of its words, then the words. Returns the names of
-- the commands that the caller may not run on these keys. It runs none of them.
local denied, at = {}, 1
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  local words = {}
  for i = 1, count do words[i] = ARGV[at + i] end
  if not redis.acl_check_cmd(unpack(words)) then denied[#denied + 1] = words[1] end
  at = at + count + 1
end
return denied
