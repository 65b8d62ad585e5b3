//go:build !fastdrain

package main

import "github.com/valyala/fasthttp"

func account(*fasthttp.Server) {}
