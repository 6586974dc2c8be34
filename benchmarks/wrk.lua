-- Prints what wrk has measured as one line of JSON; times in milliseconds.
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\n{"count":%d,"seconds":%.6f,"p50":%.3f,"p95":%.3f,"p99":%.3f,"worst":%.3f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000,
    latency:percentile(99) / 1000, latency.max / 1000,
    e.connect + e.read + e.write + e.status + e.timeout))
end
