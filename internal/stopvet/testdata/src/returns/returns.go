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
	go stop(srv, sigs)
	if err := srv.ListenAndServe(":8080"); err != nil { // want `mainreturns: .*main ends when this returns`
		log.Fatal(err)
	}
	log.Println("bye")
}

func stop(srv *fasthttp.Server, sigs chan os.Signal) {
	<-sigs
	srv.Shutdown()
}
