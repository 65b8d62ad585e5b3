//go:build !fastdrain

package main

import (
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

func set(*fasthttp.Server, draw.Server) {}

func look(srv *fasthttp.Server) { _ = srv.GetOpenConnectionsCount() }

func account(*fasthttp.Server) (bad, text string) { return "", "" }
