package drainhandler_test

import (
	"fmt"
	"log"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainhandler"
)

// The handler shows one server and is served by another, on an address that
// only operators reach.
func ExampleNew() {
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("hello") }}
	debug := drainhandler.New(srv)
	operators := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) != "/debug/drain" {
			ctx.NotFound()
			return
		}
		debug(ctx)
	}}
	go func() { log.Fatal(operators.ListenAndServe("127.0.0.1:9090")) }()

	if err := srv.ListenAndServe(":8080"); err != nil {
		log.Fatal(err)
	}
}

// The same as a value, for a program of one's own.
func ExampleRead() {
	srv := &fasthttp.Server{}
	status := drainhandler.Read(srv)
	fmt.Println(status.Phase, status.Ready, status.Connections.Open, status.Waits(), status.Blind(), status.More())
	_ = srv.Shutdown()
	for _, outcome := range drainhandler.Read(srv).Drain.Outcomes {
		if outcome.Connections > 0 {
			fmt.Println(outcome.Name, outcome.Connections)
		}
	}
	// Output: serving true 0 false 0 0
}
