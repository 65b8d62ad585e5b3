// Command websocket is a server of WebSockets that leave in order: at SIGTERM each
// gets a close frame with the code 1001, spread over some time, and the process ends
// when all have answered it. Package leave is made to be copied; the directory fiber
// has the same with Fiber.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"

	"github.com/fastdrain/fastdrain/examples/websocket/leave"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "listen on `address`; port 0 takes a free one")
	spread := flag.Duration("spread", 5*time.Second, "tell the clients to leave within this `time` after the stop")
	grace := flag.Duration("grace", 10*time.Second, "how long a stop may take; longer than the spread and three seconds")
	flag.Parse()

	pace := leave.Pace{Spread: *spread, Answer: 2 * time.Second}
	var upgrader websocket.FastHTTPUpgrader
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		done := ctx.Done() // closes at the stop
		err := upgrader.Upgrade(ctx, func(conn *websocket.Conn) {
			defer leave.AtStop(conn, done, pace)()
			echo(conn)
		})
		if err != nil {
			log.Printf("%v: %v", ctx.RemoteAddr(), err) // the client has its answer
		}
	}}
	srv.Drain.Hijacked = pace.Longest() // Shutdown waits for them

	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", ln.Addr())
	serve := func() error { return srv.Serve(ln) }
	if err := drainrun.Run(srv, serve, drainrun.Options{Grace: *grace}); err != nil {
		log.Fatal(err)
	}
}

// echo sends back what comes, until the peer's close frame has come, or nothing can any
// more. Where the server has said that it leaves, nothing can be sent, but is read.
func echo(conn *websocket.Conn) {
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		err = conn.WriteMessage(kind, message)
		if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
			return
		}
	}
}
