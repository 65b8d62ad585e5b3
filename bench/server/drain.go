//go:build fastdrain

package main

import (
	"flag"

	"github.com/valyala/fasthttp"
)

// drainFlags defines the flags that only the patched copy understands, and
// returns the function that applies them to a server after flag.Parse.
func drainFlags() func(*fasthttp.Server) {
	finalRead := flag.Duration("final-read", 0, "at the stop, wait this `long` for a last request on each connection; 0 is the default, negative is not at all")
	return func(s *fasthttp.Server) { s.Drain.FinalRead = *finalRead }
}
