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

function done(summary, latency, _)
   local e = summary.errors
   io.write(string.format(
      'figures: {"requests":%d,"seconds":%.6f,"p50":%.6f,"p99":%.6f,"top":%.6f,' ..
      '"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
      summary.requests, summary.duration / 1e6,
      latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency:percentile(99.9) / 1e6,
      e.connect, e.read, e.write, e.status, e.timeout))
end
