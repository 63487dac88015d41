-- KEYS head, record, flight, host. ARGV id, generation the node has seen, need (keys: it has none it may use, kid:
-- it has, but not this kid), epoch and sequence the key set must be as new as, token, lease ms, interval ms,
-- burst, spacing ms, longest backoff ms, fetches of one host. A request waits for keys: return a newer record, or
-- who fetches it and when.
local now = now_ms()
local seen, epoch, sequence = tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5])
local claim, interval, burst = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local record = redis.call('GET', KEYS[2])
local generation, failures = attempt_of(record)
if generation > seen then return { 'record', now, record } end

local head = redis.call('HMGET', KEYS[1], 'epoch', 'sequence')
local head_epoch, head_sequence = tonumber(head[1] or '0'), tonumber(head[2] or '0')
if sequence > 0 and (head_epoch < epoch or (head_epoch == epoch and head_sequence < sequence)) then
  -- This Redis has lost events that the node knows; a fetch now would count as one before them.
  return { 'behind', now }
end

local landing = in_flight_until(KEYS[3])
if landing > now then
  redis.call('HSET', KEYS[3], 'awaited', '1')
  return { 'flying', now, text(landing - now) }
end

local tokens = allowance(KEYS[3], now, interval, burst)
local opens = generation + tonumber(ARGV[10])
if failures > 0 then
  opens = generation + math.min(interval * 2 ^ (failures - 1), tonumber(ARGV[11]))
end
if ARGV[3] == 'kid' and tokens < 1 then opens = math.max(opens, now + (1 - tokens) * interval) end
if opens > now then return { 'wait', now, text(math.ceil(opens - now)) } end
if fetches_of_host(KEYS[4], now) >= tonumber(ARGV[12]) then return { 'wait', now, ARGV[10] } end

if ARGV[3] == 'kid' then tokens = tokens - 1 end
keep_allowance(KEYS[3], tokens, now, interval, burst, claim)
start_fetch(KEYS[3], KEYS[4], ARGV[1], ARGV[6], now, claim)
return { 'claimed', now, text(math.max(now, generation + 1, seen + 1)), text(head_epoch), text(head_sequence),
  record or '' }
