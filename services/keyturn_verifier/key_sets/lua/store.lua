-- KEYS record, flight, host, queue to be in, queue not to be in, used. ARGV id, token, record, ms to keep it, ms
-- until it is due, 1 if the keys changed, interval ms, burst. Ends an attempt. An expired lease may have been
-- taken over; its holder changes nothing any more.
local now = now_ms()
local flight = redis.call('HMGET', KEYS[2], 'claim', 'until', 'awaited', 'tokens')
if flight[1] ~= ARGV[2] or tonumber(flight[2]) <= now then return { 'superseded' } end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', KEYS[4], text(now + tonumber(ARGV[5])), ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('HSETNX', KEYS[6], ARGV[1], text(now))
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[2], 'claim', 'until', 'awaited')
if ARGV[6] == '1' and flight[4] then
  -- The keys changed: junk could not have caused this, so the fetch is refunded.
  local interval, burst = tonumber(ARGV[7]), tonumber(ARGV[8])
  local tokens = math.min(burst, allowance(KEYS[2], now, interval, burst) + 1)
  keep_allowance(KEYS[2], tokens, now, interval, burst, 0)
end
return { 'stored', flight[3] }
