-- KEYS record, flight, due, retries, used. ARGV id, initial record ('' if it needs an existing one), ms to keep
-- it, interval ms, burst. Queues an immediate fetch: the next free worker makes it, within the same allowance as
-- demands.
local now = now_ms()
local tokens = allowance(KEYS[2], now, tonumber(ARGV[4]), tonumber(ARGV[5]))
local record = redis.call('GET', KEYS[1])
local generation = attempt_of(record)
if not record and ARGV[2] == '' then return { 'unknown', '0', text(generation) } end
if tokens < 1 then return { 'wait', text(math.ceil((1 - tokens) * tonumber(ARGV[4]))), text(generation) } end
keep_allowance(KEYS[2], tokens - 1, now, tonumber(ARGV[4]), tonumber(ARGV[5]), 0)
if not record then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZADD', KEYS[3], text(now), ARGV[1])
redis.call('HSET', KEYS[5], ARGV[1], text(now))
return { 'queued', '0', text(generation) }
