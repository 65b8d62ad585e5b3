// Package metrics shows the connections and the drains of patched fasthttp
// servers, to Prometheus and to OpenTelemetry.
//
// [NewCollector] is a Prometheus collector, [Register] makes OpenTelemetry
// instruments, [TraceShutdowns] makes a trace of every drain. All names, units
// and descriptions come from the one table that [Instruments] returns, and all
// values of a scrape from one snapshot of the server, so that the two sides
// show the same numbers.
//
// What it guarantees:
//
//   - Every series of a server is there from the first scrape on, at 0: a rate
//     over a drain sees its beginning. Only a listener whose accept queue the
//     kernel does not show has no series.
//   - A counter never falls while the process lives, whatever the number of
//     drains.
//   - Nothing is done between scrapes, and nothing per request. A scrape takes
//     time in proportion to the open connections.
//   - A process that ends after its drain need not take the last figures with
//     it: see [Collector.AwaitScrape] for Prometheus, [Flush] for
//     OpenTelemetry, [Listen] for a place to scrape that outlives the drain,
//     and [LogReport] for the log.
package metrics
