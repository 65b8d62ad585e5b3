// Command observed is a small fasthttp server whose connections and drains can
// be watched: with Prometheus, with OpenTelemetry, and in a browser.
//
// It answers "hello NAME" to ?name=NAME and takes its time when asked to:
// ?sleep=3ms. A second listener, which outlives the drain, has /metrics,
// /debug/drain (which connection holds the stop?) and /ready for a readiness
// probe. On SIGTERM the server drains, waits until the last figures have been
// scraped, and writes the account to its log. It exits with 1 unless the drain
// was graceful.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainhandler"
	"github.com/valyala/fasthttp/drainrun"

	"github.com/fastdrain/fastdrain/metrics"
)

var (
	addr      = flag.String("addr", "127.0.0.1:8080", "listen on `address`; port 0 takes a free one")
	admin     = flag.String("admin", "127.0.0.1:9090", "metrics and the debug page on `address`: keep it off the public network")
	grace     = flag.Duration("grace", 20*time.Second, "the drain may take this `long`")
	lameDuck  = flag.Duration("lame-duck", 0, "go on accepting for this `long` after SIGTERM")
	finalRead = flag.Duration("final-read", 0, "wait this `long` for a last request on each connection; 0 is the default, negative is not at all")
	scrape    = flag.Duration("await-scrape", 0, "after the drain wait up to this `long` for one more scrape: twice the scrape interval")
	otlp      = flag.String("otlp", "", "export metrics and traces over OTLP/HTTP to this `URL`, such as http://127.0.0.1:4318")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	srv := &fasthttp.Server{Name: "observed", Handler: hello, CloseOnShutdown: true}
	srv.Drain.LameDuck = *lameDuck
	srv.Drain.FinalRead = *finalRead
	servers := metrics.Servers{"hello": srv}

	collector := metrics.NewCollector(servers)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	watch, err := metrics.Listen(*admin, registry, map[string]fasthttp.RequestHandler{
		"/debug/drain": drainhandler.New(srv),
		"/ready": func(ctx *fasthttp.RequestCtx) {
			if !srv.Ready() {
				ctx.Error("draining", fasthttp.StatusServiceUnavailable)
			}
		},
	})
	if err != nil {
		return err
	}
	flush, err := export(context.Background(), *otlp, servers)
	if err != nil {
		return err
	}

	ln, err := net.Listen("tcp4", *addr)
	if err != nil {
		return err
	}
	drainErr := drainrun.Run(srv, func() error {
		// Only now: from here on a signal stops the server cleanly.
		fmt.Println("listening on", ln.Addr())
		fmt.Println("metrics on", watch.Addr())
		return srv.Serve(ln)
	}, drainrun.Options{Grace: *grace})

	// The drain is over and nobody is served any more: now the last figures.
	// Each has its own time, so that one that hangs does not cost the others.
	if err := within(5*time.Second, flush); err != nil {
		log.Print("export: ", err)
	}
	if *scrape > 0 {
		if err := within(*scrape, collector.AwaitScrape); err != nil {
			log.Print(err)
		}
	}
	if err := within(5*time.Second, watch.Shutdown); err != nil {
		log.Print("metrics: ", err)
	}

	return drainErr
}

func within(d time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return do(ctx)
}

func hello(ctx *fasthttp.RequestCtx) {
	if sleep := ctx.QueryArgs().Peek("sleep"); len(sleep) > 0 {
		d, err := time.ParseDuration(string(sleep))
		if err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
		time.Sleep(d)
	}
	fmt.Fprintf(ctx, "hello %s", ctx.QueryArgs().Peek("name"))
}
