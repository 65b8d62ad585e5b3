// Nothing calls Shutdown.
package main

import (
	"github.com/valyala/fasthttp"

	"example.com/services/listen"
)

func main() {
	srv := &fasthttp.Server{Handler: func(*fasthttp.RequestCtx) { listen.Work() }}
	srv.Serve(listen.On())
}
