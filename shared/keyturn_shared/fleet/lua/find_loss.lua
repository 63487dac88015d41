-- KEYS head, events, projections, nodes. ARGV their epoch. What that epoch has lost: 'event_lost' where the stream lacks
-- the head's event, which trimming would have kept; 'projections_lost' where they were complete, and are no longer
-- there; 'nodes_ahead' where a node is in a newer one, which database and Redis have both lost: it goes to no older one.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'complete', 'marked', 'sequence')
if head[1] ~= ARGV[1] then return '' end
local at = head[1] .. '-' .. head[4]
if #redis.call('XRANGE', KEYS[2], at, at) == 0 then return 'event_lost' end
if head[2] == '1' and lost_projections(head[1], head[3], KEYS[3]) then return 'projections_lost' end
if newest_epoch_of_nodes(KEYS[4]) > tonumber(head[1]) then return 'nodes_ahead' end
return ''
