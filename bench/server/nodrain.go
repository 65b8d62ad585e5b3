//go:build !fastdrain

package main

import "github.com/valyala/fasthttp"

// drainFlags does nothing: upstream has no drain to set up.
func drainFlags() func(*fasthttp.Server) {
	return func(*fasthttp.Server) {}
}
