// Command hello is a small fasthttp server that stops cleanly on SIGTERM.
//
// It answers "hello NAME" to ?name=NAME and takes its time when asked to:
// ?sleep=3ms. Its first line of output is the address it listens on, its last
// line says how many requests it executed and how long the shutdown took, and with
// the patched copy how many connections sent something too late.
//
// The same source builds with upstream's fasthttp and with the patched copy;
// the drain's settings are in drain.go, behind the build tag fastdrain.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
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

	// Ask for the signals before anybody can know that the server is up.
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()

	ln, err := listen(*addr, *share)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", ln.Addr())

	failed := make(chan error, 1)
	go func() { failed <- serve(srv, ln, *useTLS) }()
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-stop.Done():
	}

	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err = srv.ShutdownWithContext(ctx)
	fmt.Printf("served %d requests, shutdown took %v%s\n", executed.Load(), time.Since(begin), account(srv))
	if err != nil {
		log.Fatal("shutdown: ", err)
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
