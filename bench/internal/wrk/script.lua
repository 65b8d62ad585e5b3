-- What wrk runs for each load, after the lines that say what the load is.

local requests

function init(args)
   local all = {}
   for i = 1, batch do
      all[i] = wrk.format()
   end
   requests = table.concat(all)
end

function request()
   return requests
end

-- wrk adds the requests that a slow response kept its client from sending, and
-- derives from the number of responses when it would have sent them. With several
-- requests at a time it adds some below the least latency it saw, and then finds no
-- percentile above them.
local function percentile(latency, p)
   if batch > 1 then
      return 0
   end
   return latency:percentile(p) / 1e6
end

local ffi = require("ffi")
ffi.cdef("struct timeval_ { long s, us; }; int gettimeofday(struct timeval_ *, void *);")

-- wrk's clock has stopped a moment ago; its exit, with many connections, takes long.
function done(summary, latency, _)
   local now = ffi.new("struct timeval_")
   ffi.C.gettimeofday(now, nil)
   local e = summary.errors
   io.write(string.format(
      'figures: {"stopped":%.6f,"requests":%d,"seconds":%.6f,"p50":%.6f,"p99":%.6f,"top":%.6f,' ..
      '"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
      tonumber(now.s) + tonumber(now.us) / 1e6, summary.requests, summary.duration / 1e6,
      percentile(latency, 50), percentile(latency, 99), percentile(latency, 99.9),
      e.connect, e.read, e.write, e.status, e.timeout))
end
