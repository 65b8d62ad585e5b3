// drainrun does it.
package main

import (
	"log"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"

	"example.com/services/listen"
)

func main() {
	srv := &fasthttp.Server{Handler: func(*fasthttp.RequestCtx) { listen.Work() }}
	serve := func() error { return srv.Serve(listen.On()) }
	if err := drainrun.Run(srv, serve, drainrun.Options{}); err != nil {
		log.Fatal(err)
	}
}
