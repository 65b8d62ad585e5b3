// Command fiber is a Fiber app with WebSockets that leave in order at SIGTERM, as
// those of the server in the directory above.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	fasthttpws "github.com/fasthttp/websocket"
	"github.com/gofiber/contrib/v3/websocket"
	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp/drainrun"

	"github.com/fastdrain/fastdrain/examples/websocket/leave"
)

// leaves is the local that tells a WebSocket of the stop. The fiber.Ctx of its request
// is another's by then.
const leaves = "leaves"

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "listen on `address`; port 0 takes a free one")
	spread := flag.Duration("spread", 5*time.Second, "tell the clients to leave within this `time` after the stop")
	grace := flag.Duration("grace", 10*time.Second, "how long a stop may take; longer than the spread and three seconds")
	flag.Parse()

	pace := leave.Pace{Spread: *spread, Answer: 2 * time.Second}
	app := fiber.New()
	app.Server().Drain.Hijacked = pace.Longest() // Shutdown waits for them
	app.Use(func(c fiber.Ctx) error {
		c.Locals(leaves, c.RequestCtx().Done()) // closes at the stop
		return c.Next()
	})
	app.Get("/", websocket.New(func(conn *websocket.Conn) {
		done, _ := conn.Locals(leaves).(<-chan struct{})
		defer leave.AtStop(conn.Conn, done, pace)()
		echo(conn)
	}))
	app.Hooks().OnListen(func(l fiber.ListenData) error {
		_, err := fmt.Printf("listening on %s:%s\n", l.Host, l.Port)
		return err
	})

	serve := func() error {
		return app.Listen(*addr, fiber.ListenConfig{DisableStartupMessage: true})
	}
	err := drainrun.Run(app.Server(), serve, drainrun.Options{
		Grace:    *grace,
		Shutdown: app.ShutdownWithContext,
		Logger:   log.Default(), // the one that Fiber gives its server drops everything
	})
	if err != nil {
		log.Fatal(err)
	}
}

// echo sends back what comes, until the peer's close frame has come, or nothing can any
// more. Where the server has said that it leaves, nothing can be sent, but is read: the
// error is then that of the module below, as contrib's of the same name is never returned.
func echo(conn *websocket.Conn) {
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		err = conn.WriteMessage(kind, message)
		if err != nil && !errors.Is(err, fasthttpws.ErrCloseSent) {
			return
		}
	}
}
