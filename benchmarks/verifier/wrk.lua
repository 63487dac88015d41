-- Sends raw requests from a file, one after the other, and prints the result as one line of JSON.
-- args[1]: the file. Each request is preceded by its length in octets and a line feed.
local requests, at = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  while true do
    local length = file:read("*n")
    if not length then break end
    file:read(1)
    requests[#requests + 1] = file:read(length)
  end
  file:close()
end

function request()
  at = at % #requests + 1
  sent = (sent or 0) + 1
  return requests[at]
end

local threads = {}
function setup(thread) table.insert(threads, thread) end

function done(summary, latency)
  local sent_all = 0
  for _, thread in ipairs(threads) do
    sent_all = sent_all + (thread:get("sent") or 0)
  end
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format(
    '{"answers": %d, "seconds": %.6f, "p50": %.4f, "p99": %.4f, "sent": %d, "refused": %d, "failed": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    sent_all, summary.errors.status, failed))
end
