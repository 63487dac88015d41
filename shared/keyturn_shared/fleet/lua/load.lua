-- KEYS head, projections of the node's epoch. ARGV epoch, sequence the node has applied, field. Returns one
-- projection, or why there is no certain answer now.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'complete', 'marked')
if head[1] ~= ARGV[1] then return { 'other_epoch' } end
if not trusted(KEYS[1]) then return { 'untrusted' } end
if tonumber(head[2]) < tonumber(ARGV[2]) then return { 'behind' } end
local value = redis.call('HGET', KEYS[2], ARGV[3])
if value then return { 'found', head[2], value } end
if head[3] ~= '1' then return { 'incomplete' } end
if lost_projections(head[1], head[4], KEYS[2]) then return { 'lost' } end
return { 'absent', head[2] }
