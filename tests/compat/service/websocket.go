package main

import (
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	fiberws "github.com/gofiber/contrib/v3/websocket"
	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
)

func init() {
	stands["websocket"] = webSockets
	stands["fiber-websocket"] = fiberWebSockets
}

// webSockets talks beside plain requests, and ends its conversations after its
// Shutdown.
func webSockets(e *env) error {
	ln, err := e.listen()
	if err != nil {
		return err
	}
	var talks sync.WaitGroup
	up := websocket.FastHTTPUpgrader{}
	srv := e.server()
	srv.Handler = func(ctx *fasthttp.RequestCtx) {
		if !websocket.FastHTTPIsWebSocketUpgrade(ctx) {
			e.handle(ctx)
			return
		}
		talks.Add(1)
		if up.Upgrade(ctx, func(c *websocket.Conn) { defer talks.Done(); e.talk(c) }) != nil {
			talks.Done()
		}
	}
	err = e.serve(srv, e.secure(ln))
	talks.Wait()
	return err
}

// fiberWebSockets does so with Fiber v3 and its middleware.
func fiberWebSockets(e *env) error {
	var talks sync.WaitGroup
	app := e.fiber()
	app.Get("/ws", func(c fiber.Ctx) error {
		talks.Add(1)
		return c.Next()
	}, fiberws.New(func(c *fiberws.Conn) { defer talks.Done(); e.talk(c.Conn) }))
	err := e.fiberServes(app, fiber.ListenConfig{}, app.ShutdownWithContext)
	talks.Wait()
	return err
}

// talk echoes what it hears, goes on for a time after the stop, and says goodbye.
func (e *env) talk(c *websocket.Conn) {
	go func() {
		select {
		case <-e.stopping:
			time.Sleep(200 * time.Millisecond)
		case <-time.After(longest):
		}
		_ = c.SetReadDeadline(time.Now())
	}()
	for {
		kind, text, err := c.ReadMessage()
		if err != nil {
			break
		}
		if c.WriteMessage(kind, text) != nil {
			break
		}
	}
	_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""))
	_ = c.Close()
}
