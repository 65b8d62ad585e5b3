package main

import (
	"context"

	"github.com/fasthttp/router"
	"github.com/fasthttp/websocket"
	"github.com/savsgio/atreugo/v11"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/prefork"
)

func init() {
	stands["router"] = func(e *env) error {
		ln, err := e.listen()
		if err != nil {
			return err
		}
		r := router.New()
		r.ANY("/fast", e.handle)
		r.ANY("/wait", e.handle)
		return e.serve(&fasthttp.Server{Handler: r.Handler}, e.secure(ln))
	}
	stands["atreugo"] = atreugoServes
	stands["websocket"] = webSocket
	stands["prefork"] = preforked(false)
	stands["prefork-reuseport"] = preforked(true)
}

// atreugoServes stops by atreugo's own handling of SIGTERM.
func atreugoServes(e *env) error {
	app := atreugo.New(atreugo.Config{Addr: e.addr, GracefulShutdown: true})
	answer := func(ctx *atreugo.RequestCtx) error {
		e.handle(ctx.RequestCtx)
		return nil
	}
	app.ANY("/fast", answer)
	app.ANY("/wait", answer)
	go func() {
		<-e.signal // beside atreugo's own
		e.stops()
	}()
	say(event{Event: "addressed", Addr: e.addr})
	returned(app.ListenAndServe(), 0)
	return nil
}

// webSocket has one connection upgraded, whose handler leaves with the stop.
func webSocket(e *env) error {
	ln, err := e.listen()
	if err != nil {
		return err
	}
	up := websocket.FastHTTPUpgrader{}
	srv := e.server()
	srv.Handler = func(ctx *fasthttp.RequestCtx) {
		if !websocket.FastHTTPIsWebSocketUpgrade(ctx) {
			e.handle(ctx)
			return
		}
		_ = up.Upgrade(ctx, func(c *websocket.Conn) {
			select {
			case <-ctx.Done():
				_ = c.WriteMessage(websocket.TextMessage, []byte("bye"))
			case <-e.stopping:
				_ = c.WriteMessage(websocket.TextMessage, []byte("bye"))
			}
			_ = c.Close()
		})
	}
	return e.serve(srv, e.secure(ln))
}

// preforked is fasthttp's prefork: two children, each of which stops on SIGTERM.
func preforked(reuse bool) stand {
	return func(e *env) error {
		srv := e.server()
		p := prefork.New(srv)
		p.Reuseport = reuse
		if !prefork.IsChild() {
			e.lead()
			return p.ListenAndServe(e.addr)
		}
		return e.child(func() error { return p.ListenAndServe(e.addr) },
			func(ctx context.Context) error { return srv.ShutdownWithContext(ctx) }, func() { account(srv) })
	}
}
