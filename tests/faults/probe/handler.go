package main

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

var handlerFaults = []fault{
	{
		Name: "handler-panics", What: "a handler that panics during the drain, recovered by a middleware; then one more request",
		Want: "the response: 500; one more: 200, close, FIN; Shutdown: nil; account: 1 closed_after_response",
		More: []string{"TestPanicInServeConnLeavesTheTable"},
		run: func(r *rig) {
			handler := r.srv.Handler
			r.srv.Handler = func(ctx *fasthttp.RequestCtx) {
				defer func() {
					if p := recover(); p != nil {
						ctx.Error("recovered", fasthttp.StatusInternalServerError)
					}
				}()
				handler(ctx)
			}
			r.listen()
			c := r.dial()
			c.send(get("/panic"))
			r.await("the handler", r.held, 1)
			st := r.stop(bound)
			r.gate <- struct{}{}
			r.say("the response: %s", c.read())
			r.say("one more: %s", c.askIdle(get("/more")))
			_ = c.c.Close()
			st.sayEnd()
			r.sayOutcomes()
		},
	},
	{
		Name: "descriptor-blocks", What: "a handler that makes its connection's descriptor block, by File and Fd, and runs at the stop; its client stays",
		Want: "the response: 200; Shutdown: nil",
		More: []string{"TestShutdownEndsAReadThatBlocks"},
		run: func(r *rig) {
			r.srv.Handler = blocks(r.srv.Handler)
			r.listen()
			c := r.dial()
			c.send(get("/held"))
			r.await("the handler", r.held, 1)
			st := r.stop(bound)
			r.gate <- struct{}{}
			r.say("the response: %s", c.read())
			st.sayEnd()
		},
	},
	{
		Name: "descriptor-blocks-idle", What: "the same, and the connection waits at the stop",
		Want: "Shutdown: its context ended first; account: 1 left_open",
		More: []string{"TestReadThatBlocksServesWhatComesInTheWindow"},
		run: func(r *rig) {
			r.srv.Handler = blocks(r.srv.Handler)
			r.listen()
			r.dialWaiting()
			r.stop(bound / 2).sayEnd()
			r.sayOutcomes()
		},
	},
	{
		Name: "websocket", What: "a WebSocket echo across the drain, and an upgrade in it",
		Want: "Shutdown: nil; opened before the stop: echoes; opened after it: echoes; account: 1 hijacked",
		More: []string{"TestHijackDuringDrain", "TestWakeDoesNotHitAHijackedConnection"},
		run: func(r *rig) {
			upgrader := websocket.FastHTTPUpgrader{}
			r.srv.Handler = func(ctx *fasthttp.RequestCtx) {
				_ = upgrader.Upgrade(ctx, func(ws *websocket.Conn) {
					defer ws.Close()
					for {
						kind, text, err := ws.ReadMessage()
						if err != nil || ws.WriteMessage(kind, text) != nil {
							return
						}
					}
				})
			}
			r.listen()
			before, err := r.dialWebSocket(r.dial())
			r.check(err)
			if seen := echo(before); seen != "echoes" {
				r.giveUp("before the stop: %s", seen)
			}
			// Its loop may end after the echo: then it would be in the account.
			for end := time.Now().Add(bound); openConns(r.srv) > 0; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					r.giveUp("the hijacked connection is still served after %v", bound)
				}
			}
			late := r.dial()
			r.await("two connections to be accepted", r.accepted, 2)
			st := r.stop(bound)
			var after *websocket.Conn
			if late.look() {
				err = net.ErrClosed
			} else {
				after, err = r.dialWebSocket(late)
			}
			st.sayEnd()
			r.say("opened before the stop: %s", echo(before))
			if err != nil {
				r.say("opened after it: closed under the client")
			} else {
				r.say("opened after it: %s", echo(after))
			}
			r.sayOutcomes()
		},
	},
}

// blocks has a handler make the descriptor of its connection block first.
func blocks(handler fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if c, ok := ctx.Conn().(*net.TCPConn); ok {
			if f, err := c.File(); err == nil {
				_ = f.Fd()
				_ = f.Close()
			}
		}
		handler(ctx)
	}
}

// dialWebSocket opens a WebSocket on a client's connection.
func (r *rig) dialWebSocket(c *client) (*websocket.Conn, error) {
	dialer := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return c.c, nil }}
	u := url.URL{Scheme: "ws", Host: r.addr.String(), Path: "/"}
	ws, _, err := dialer.Dial(u.String(), nil)
	return ws, err
}

func echo(ws *websocket.Conn) string {
	text := []byte("text")
	if err := ws.WriteMessage(websocket.TextMessage, text); err != nil {
		return err.Error()
	}
	_, back, err := ws.ReadMessage()
	switch {
	case err != nil:
		return err.Error()
	case !bytes.Equal(back, text):
		return "another text"
	}
	return "echoes"
}
