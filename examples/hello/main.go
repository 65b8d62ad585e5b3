// Command hello is a small fasthttp server that stops cleanly on SIGTERM.
//
// It answers "hello NAME" to ?name=NAME and takes its time when asked to:
// ?sleep=3ms. Its first line of output is the address it listens on, its last
// line says how many requests it executed, and with the patched copy how many
// handshakes were under way when the listener closed, and how many connections sent
// something too late.
//
// The same source builds with upstream's fasthttp and with the patched copy:
// what only the latter has, the drain's settings and package drainrun, is in
// drain.go, behind the build tag fastdrain. nodrain.go does by hand what can be
// done with upstream.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/examples/internal/selfsigned"
)

// grace is how long a shutdown may take before the process gives up on it.
const grace = 30 * time.Second

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "listen on `address`; port 0 takes a free one")
	useTLS := flag.Bool("tls", false, "speak TLS, with a certificate made at start")
	share := flag.Bool("reuseport", false, "share the port (SO_REUSEPORT), so that the next process can take over before this one stops")
	drain, account := drainFlags()
	flag.Parse()

	var executed atomic.Int64
	srv := &fasthttp.Server{
		Name: "hello",
		Handler: func(ctx *fasthttp.RequestCtx) {
			executed.Add(1)
			if sleep := ctx.QueryArgs().Peek("sleep"); len(sleep) > 0 {
				d, err := time.ParseDuration(string(sleep))
				if err != nil {
					ctx.Error(err.Error(), fasthttp.StatusBadRequest)
					return
				}
				time.Sleep(d)
			}
			fmt.Fprintf(ctx, "hello %s", ctx.QueryArgs().Peek("name"))
		},
	}
	drain(srv)

	ln, err := listen(*addr, *share)
	if err != nil {
		log.Fatal(err)
	}
	err = run(srv, func() error {
		// Only now: from here on a signal stops the server cleanly.
		fmt.Println("listening on", ln.Addr())
		return serve(srv, ln, *useTLS)
	})
	fmt.Printf("served %d requests%s\n", executed.Load(), account(srv))
	if err != nil {
		log.Fatal(err)
	}
}

func serve(srv *fasthttp.Server, ln net.Listener, useTLS bool) error {
	if !useTLS {
		return srv.Serve(ln)
	}
	cert, key, err := selfsigned.PEM()
	if err != nil {
		return err
	}
	return srv.ServeTLSEmbed(ln, cert, key)
}
