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
func notified(sigs ...os.Signal) <-chan os.Signal {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, sigs...)
	return stop
}

func main() {
	r := router.New()
	r.GET("/", func(*fasthttp.RequestCtx) { listen.Work() })
	srv := &fasthttp.Server{Handler: r.Handler}
	stop := notified(syscall.SIGINT, syscall.SIGTERM)
	go srv.Serve(listen.On())
	<-stop
	srv.Shutdown()
}
