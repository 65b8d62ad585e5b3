//go:build !fastdrain

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/valyala/fasthttp"
)

// drainFlags does nothing: upstream has no drain to set up, or to tell of.
func drainFlags() (set func(*fasthttp.Server), account func(*fasthttp.Server) string) {
	return func(*fasthttp.Server) {}, func(*fasthttp.Server) string { return "" }
}

// run serves until a signal, and shuts down: what upstream leaves to each
// service. The signals are asked for before anybody can know that the server is
// up.
func run(srv *fasthttp.Server, serve func() error) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	return srv.ShutdownWithContext(ctx)
}
