//go:build !fastdrain

package main

import "github.com/valyala/fasthttp"

// drainFlags does nothing: upstream has no drain to set up, or to tell of.
func drainFlags() (set func(*fasthttp.Server), account func(*fasthttp.Server) string) {
	return func(*fasthttp.Server) {}, func(*fasthttp.Server) string { return "" }
}
