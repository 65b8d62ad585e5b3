//go:build !fastdrain

package main

import "github.com/valyala/fasthttp"

// prepare does nothing: upstream has no window, and no account.
func prepare(*fasthttp.Server) (account func()) { return func() {} }
