package main

import (
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/valyala/fasthttp"
)

func main() {
	srv := &fasthttp.Server{}
	sigs := make(chan os.Signal, 1)
	signal.Notify(sigs, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-sigs
		srv.Shutdown()
	}()
	if err := srv.ListenAndServe(":8080"); err != nil {
		log.Fatal(err)
	}
	finish(done)
}

func finish(done chan struct{}) { <-done }
