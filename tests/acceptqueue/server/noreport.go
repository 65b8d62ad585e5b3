//go:build !fastdrain

package main

import "github.com/valyala/fasthttp"

// patience does nothing: upstream has no window.
func patience(*fasthttp.Server) {}

// report does nothing: upstream has no account.
func report(*fasthttp.Server) {}
