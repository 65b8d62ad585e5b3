package hot

import (
	"time"

	"github.com/valyala/fasthttp"
)

// Workload is one way to use a server. An operation is one request and its
// response.
type Workload struct {
	// Name is the name of the workload in all tables, and of its benchmark.
	Name string
	// About says in a few words what the clients do.
	About string
	// Core says that the gate measures it.
	Core bool
	// Exact says that the number of instructions does not depend on how
	// goroutines are scheduled, so that counting them means something.
	Exact bool
	// Weight is about how many times the instructions of a plain GET a request
	// takes, 0 for once; counting them takes so much longer.
	Weight int
	// Scraped is how often the server is scraped meanwhile, 0 for not at all: ten times a
	// second is much more often than any Prometheus asks, and must not show; a hundred
	// times shows what a scrape costs.
	Scraped time.Duration

	// even says that upstream's server has as many series to be scraped as the patched.
	even bool
	// configure sets up the server, nil for none. The Handler is set already.
	configure func(*fasthttp.Server)
	// request is what a client sends, in batches without waiting for responses.
	request string
	batch   int
	// perConn is how many requests a connection carries, 0 for any number.
	perConn int
	// conns is how many clients there are. Up to inFlight of them have a request
	// under way at a time.
	conns int
	tls   bool
}

// inFlight is how many of many clients are being served at a time.
const inFlight = 64

const (
	get = "GET /plaintext HTTP/1.1\r\nHost: example.com\r\n\r\n"

	// A short one, so that 64 of them fit into the server's read buffer.
	getShort = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"

	getBrowser = "GET /en/account/orders?page=2&sort=date HTTP/1.1\r\n" +
		"Host: shop.example.com\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
		"Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Referer: https://shop.example.com/en/account\r\n" +
		"DNT: 1\r\n" +
		"Cookie: session=0b7d6f1b2a9c4e5f8a1d3c5b7e9f0a2c; theme=dark; consent=analytics%3D0; cart=eyJpdGVtcyI6M30\r\n" +
		"Upgrade-Insecure-Requests: 1\r\n" +
		"Sec-Fetch-Dest: document\r\n" +
		"Sec-Fetch-Mode: navigate\r\n" +
		"Sec-Fetch-Site: same-origin\r\n" +
		"Priority: u=0, i\r\n" +
		"X-Forwarded-For: 203.0.113.7\r\n" +
		"X-Request-Id: 7f3c1d9e-5b2a-4c8f-9e6d-0a1b2c3d4e5f\r\n\r\n"
)

// Workloads are all workloads, the core ones first.
var Workloads = []*Workload{
	{Name: "get", About: "GET, keep-alive", Core: true, Exact: true, request: get},
	{Name: "get-browser", About: "GET with a browser's headers", Core: true, Exact: true, Weight: 4, request: getBrowser},
	{Name: "post-1k", About: "POST of 1 kB", Core: true, Exact: true, request: post(1 << 10)},
	{Name: "pipeline-16", About: "16 GETs at a time", Core: true, Exact: true, request: getShort, batch: 16},
	{Name: "pipeline-64", About: "64 GETs at a time", Core: true, Exact: true, request: getShort, batch: 64},
	{Name: "conn-per-request", About: "a connection for each GET", Core: true, Exact: true, Weight: 3, request: get, perConn: 1},

	{Name: "conn-per-10", About: "a connection for every 10 GETs", Exact: true, request: get, perConn: 10},
	{Name: "clients-10000", About: "GET by 10,000 clients", request: get, conns: 10000},
	{Name: "timeouts", About: "GET, the server has all three timeouts", Exact: true, request: get, configure: timeouts},
	{Name: "reduce-memory", About: "GET with ReduceMemoryUsage", Exact: true, request: get, configure: reduceMemory},
	{Name: "stream-body", About: "POST of 64 kB, streamed", Exact: true, Weight: 2, request: post(64 << 10), configure: streamBody},
	{Name: "tls", About: "GET over TLS, keep-alive", request: get, tls: true},
	{Name: "timeout-handler", About: "GET through a TimeoutHandler", request: get, configure: timeoutHandler},
	{Name: "conn-state", About: "GET with a ConnState hook", Exact: true, request: get, configure: connState},
	{Name: "scraped-10", About: "GET while the server is scraped 10 times a second", Scraped: 100 * time.Millisecond, request: get},
	{Name: "scraped", About: "GET while the server is scraped 100 times a second", Scraped: 10 * time.Millisecond, request: get},
	{Name: "scraped-even", About: "the same, upstream with as many plain gauges", Scraped: 10 * time.Millisecond, even: true, request: get},
}

// Named returns the workload of a name, nil if there is none.
func Named(name string) *Workload {
	for _, w := range Workloads {
		if w.Name == name {
			return w
		}
	}
	return nil
}
