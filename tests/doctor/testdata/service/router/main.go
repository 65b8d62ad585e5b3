// fasthttp/router, and a function that is handed the signals.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"

	"example.com/services/listen"
)

//go:noinline
func await(sigs ...os.Signal) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, sigs...)
	<-stop
}

func main() {
	r := router.New()
	r.GET("/", func(*fasthttp.RequestCtx) { listen.Work() })
	srv := &fasthttp.Server{Handler: r.Handler}
	go srv.Serve(listen.On())
	await(syscall.SIGINT, syscall.SIGTERM)
	srv.Shutdown()
}
