// Command server is the fasthttp server that bench loads over real sockets and
// stops. The same source is built with upstream's fasthttp and with the patched
// copy; what only the latter has is in drain.go.
package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/bench/internal/certificate"
	"github.com/fastdrain/fastdrain/bench/internal/scrape"
	"github.com/fastdrain/fastdrain/bench/internal/serving"
)

// longTimeout is a timeout as services set it.
const longTimeout = 10 * time.Second

var (
	useTLS   = flag.Bool("tls", false, "speak TLS")
	timeouts = flag.Bool("timeouts", false, "set the three timeouts")
	reduce   = flag.Bool("reduce-memory", false, "set ReduceMemoryUsage")
	stream   = flag.Bool("stream-body", false, "stream the bodies of requests")
	timeoutH = flag.Bool("timeout-handler", false, "answer through a TimeoutHandler")
	state    = flag.Bool("conn-state", false, "set a ConnState hook")
	perConn  = flag.Int("requests-per-conn", 0, "close connections after `N` requests")
	often    = flag.Duration("scrape", 0, "scrape the server's metrics this `often`")
	even     = flag.Bool("even", false, "with upstream, export as many plain gauges as the patched server has series")
)

func main() {
	setUp := drainFlags()
	serving.Main(func() (serving.Server, error) {
		s := &server{fasthttp.Server{
			Handler:               plaintext,
			NoDefaultServerHeader: true,
			ReduceMemoryUsage:     *reduce,
			StreamRequestBody:     *stream,
			MaxRequestsPerConn:    *perConn,
			Concurrency:           1 << 20,
		}}
		if *stream {
			s.Handler = swallow
		}
		if *timeoutH {
			s.Handler = fasthttp.TimeoutHandler(plaintext, longTimeout, "timeout")
		}
		if *timeouts {
			s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = longTimeout, longTimeout, longTimeout
		}
		if *state {
			var active atomic.Int64
			s.ConnState = func(_ net.Conn, state fasthttp.ConnState) {
				if state == fasthttp.StateActive {
					active.Add(1)
				}
			}
		}
		setUp(&s.Server)
		if *often > 0 {
			scrape.Every(&s.Server, *often, *even)
		}
		return s, nil
	})
}

type server struct{ fasthttp.Server }

func (s *server) Serve(ln net.Listener) error {
	if !*useTLS {
		return s.Server.Serve(ln)
	}
	cert, key, err := certificate.PEM()
	if err != nil {
		return err
	}
	return s.ServeTLSEmbed(ln, cert, key)
}

func (s *server) Shutdown(ctx context.Context) error { return s.ShutdownWithContext(ctx) }

var hello = []byte("Hello, World!")

func plaintext(ctx *fasthttp.RequestCtx) {
	if d := ctx.QueryArgs().Peek("sleep"); len(d) > 0 {
		sleep, err := time.ParseDuration(string(d))
		if err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
		time.Sleep(sleep)
	}
	ctx.SetContentType("text/plain")
	ctx.SetBody(hello)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// swallow reads the body of a request to its end.
func swallow(ctx *fasthttp.RequestCtx) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if _, err := io.Copy(b, ctx.RequestBodyStream()); err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	ctx.SetContentType("text/plain")
	ctx.SetBody(hello)
}
