package metrics

import (
	"context"
	"fmt"
	"log"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

const (
	// MetricsPath is where a [Listener] serves the metrics.
	MetricsPath = "/metrics"

	// listenerTimeout bounds how long a scrape may take to be sent and to be
	// read: a client that hangs must not hold the process.
	listenerTimeout = 30 * time.Second
)

// Listener serves metrics on an address of its own. The service's own listeners
// close at the beginning of a drain; this one stays until [Listener.Shutdown],
// so that the drain can be watched and its last figures be scraped.
type Listener struct {
	ln    net.Listener
	srv   *fasthttp.Server
	ended chan struct{} // closed when Serve has returned
}

// Listen listens on a TCP address, such as "127.0.0.1:9090" or ":9090", and
// serves what g gathers at [MetricsPath], and pages by their path: the place
// for drainhandler.New(srv), and for a readiness probe that has to answer
// during the drain. It has begun to listen when it returns; an address that is
// in use is an error.
//
// Keep the address off the public network: nobody is asked who he is.
func Listen(addr string, g prometheus.Gatherer, pages map[string]fasthttp.RequestHandler) (*Listener, error) {
	handlers := maps.Clone(pages)
	if handlers == nil {
		handlers = map[string]fasthttp.RequestHandler{}
	}
	if _, taken := handlers[MetricsPath]; taken {
		return nil, fmt.Errorf("metrics: the page %s is the metrics' own: give yours another path", MetricsPath)
	}
	// One collector that fails must not hide the figures of the others.
	handlers[MetricsPath] = fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(g, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError,
		ErrorLog:      log.New(os.Stderr, "metrics: ", log.LstdFlags),
	}))
	index := strings.Join(slices.Sorted(maps.Keys(handlers)), "\n") + "\n"

	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	l := &Listener{
		ln:    ln,
		ended: make(chan struct{}),
		srv: &fasthttp.Server{
			Handler: func(ctx *fasthttp.RequestCtx) {
				switch h, ok := handlers[string(ctx.Path())]; {
				case ok:
					h(ctx)
				case string(ctx.Path()) == "/":
					ctx.SetBodyString(index)
				default:
					ctx.Error("no such page; there are:\n"+index, fasthttp.StatusNotFound)
				}
			},
			NoDefaultServerHeader: true,
			ReadTimeout:           listenerTimeout,
			WriteTimeout:          listenerTimeout,
			IdleTimeout:           10 * time.Minute, // scrape intervals are shorter
			CloseOnShutdown:       true,
			Drain:                 fasthttp.Drain{FinalRead: -1, ForceClose: true},
		},
	}
	go func() {
		defer close(l.ended)
		if err := l.srv.Serve(ln); err != nil && l.srv.Ready() {
			log.Printf("metrics: %v is not served any more: %v", ln.Addr(), err)
		}
	}()
	return l, nil
}

// Addr is the address that l listens on.
func (l *Listener) Addr() net.Addr { return l.ln.Addr() }

// Shutdown ends l, after the responses that are being written: call it last,
// after [Collector.AwaitScrape]. When ctx ends before, what is left is closed
// and ctx.Err() returned.
func (l *Listener) Shutdown(ctx context.Context) error {
	err := l.srv.ShutdownWithContext(ctx)
	// A Serve that comes only now, as its goroutine was slow, ends at once.
	_ = l.ln.Close()
	<-l.ended
	return err
}
