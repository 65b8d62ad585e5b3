package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "")
	flag.Parse()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)

	var served atomic.Int64
	r := router.New()
	r.GET("/", func(ctx *fasthttp.RequestCtx) {
		served.Add(1)
		fmt.Fprintf(ctx, "hello %s", ctx.QueryArgs().Peek("name"))
	})
	srv := &fasthttp.Server{Handler: r.Handler}
	ln, err := net.Listen("tcp4", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", ln.Addr())
	go func() {
		if err := srv.Serve(ln); err != nil {
			log.Fatal(err)
		}
	}()
	<-stop
	err = srv.Shutdown()
	fmt.Printf("served %d requests\n", served.Load())
	if err != nil {
		log.Fatal(err)
	}
}
