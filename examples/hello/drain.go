//go:build fastdrain

package main

import (
	"flag"
	"fmt"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"
)

// drainFlags defines the flags that only the patched copy understands, and
// returns the function that applies them to a server after flag.Parse, and one
// that tells what only the patched copy knows of its drain.
func drainFlags() (set func(*fasthttp.Server), account func(*fasthttp.Server) string) {
	finalRead := flag.Duration("final-read", 0, "at the stop, wait this `long` for a last request on each connection; 0 is the default, negative is not at all")
	linger := flag.Duration("linger", 0, "after a half-close, wait this `long` for the client's; 0 is the default")
	set = func(srv *fasthttp.Server) {
		srv.Drain.FinalRead, srv.Drain.Linger = *finalRead, *linger
	}
	account = func(srv *fasthttp.Server) string {
		report, unfinished := srv.DrainReport(), 0
		for _, l := range report.Listeners {
			unfinished += l.Unfinished
		}
		return fmt.Sprintf(", %d handshakes unfinished, %d late", unfinished, report.Late)
	}
	return set, account
}

// run serves until a signal, and drains.
func run(srv *fasthttp.Server, serve func() error) error {
	return drainrun.Run(srv, serve, drainrun.Options{Grace: grace})
}
