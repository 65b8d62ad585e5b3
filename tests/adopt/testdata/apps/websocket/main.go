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

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "")
	flag.Parse()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)

	var served atomic.Int64
	upgrader := websocket.FastHTTPUpgrader{}
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) == "/echo" {
			if err := upgrader.Upgrade(ctx, echo); err != nil {
				log.Print(err)
			}
			return
		}
		served.Add(1)
		fmt.Fprintf(ctx, "hello %s", ctx.QueryArgs().Peek("name"))
	}}
	ln, err := net.Listen("tcp4", *addr)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		if err := srv.Serve(ln); err != nil {
			log.Fatal(err)
		}
	}()
	// One that stays open over the stop, which must not wait for it.
	dialer := websocket.Dialer{}
	conn, _, err := dialer.Dial("ws://"+ln.Addr().String()+"/echo", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte("before")); err != nil {
		log.Fatal(err)
	}
	if _, text, err := conn.ReadMessage(); err != nil || string(text) != "before" {
		log.Fatalf("the echo is %q (%v)", text, err)
	}
	fmt.Println("listening on", ln.Addr())
	<-stop
	err = srv.Shutdown()
	fmt.Printf("served %d requests\n", served.Load())
	if err != nil {
		log.Fatal(err)
	}
}

func echo(conn *websocket.Conn) {
	for {
		kind, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, text); err != nil {
			return
		}
	}
}
