// An accept loop of its own, and nothing calls Shutdown.
package main

import (
	"github.com/valyala/fasthttp"

	"example.com/services/listen"
)

func main() {
	srv := &fasthttp.Server{Handler: func(*fasthttp.RequestCtx) { listen.Work() }}
	ln := listen.On()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go srv.ServeConn(conn)
	}
}
