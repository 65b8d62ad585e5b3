// The master asks for SIGTERM, and has nothing to shut down; its children serve.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/prefork"

	"example.com/services/listen"
)

func main() {
	srv := &fasthttp.Server{Handler: func(*fasthttp.RequestCtx) { listen.Work() }}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		srv.Shutdown()
		fmt.Println("shut down")
	}()
	if !prefork.IsChild() {
		fmt.Println("listening soon, in the children")
	}
	prefork.New(srv).ListenAndServe(os.Getenv("ADDR"))
}
