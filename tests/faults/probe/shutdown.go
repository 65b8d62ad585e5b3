package main

import (
	"context"
	"time"
)

// patience is how long a Shutdown waits that is expected, of one of the two
// servers, to run into the end of its context.
const patience = 5 * time.Second

var shutdownFaults = []fault{
	{
		Name: "shutdown-twice", What: "Shutdown again after one that has ended",
		Want: "Shutdown: nil; Shutdown: nil",
		run: func(r *rig) {
			r.drain.finalRead = -1
			r.listen()
			c := r.dialIdle()
			st := r.stop(bound)
			c.rest()
			_ = c.c.Close()
			st.sayEnd()
			r.begin(context.Background()).sayEnd()
		},
	},
	{
		Name: "shutdown-concurrently", What: "a second Shutdown, whose context has ended, beside one under way",
		Want: "the second does not wait for the first: true; the request: 200, close, FIN; the first: nil",
		More: []string{"TestConcurrentShutdownsShareOneDrain", "TestJoinedShutdownsObeyTheirOwnContexts"},
		run: func(r *rig) {
			r.srv.CloseOnShutdown = true
			r.listen()
			c := r.dial()
			c.send(get("/held"))
			r.await("the handler", r.held, 1)
			first := r.stop(bound)
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			second := r.begin(ended)
			select {
			case <-second.done:
			case <-time.After(patience):
			}
			r.say("the second does not wait for the first: %t", !second.runs() && first.runs())
			r.gate <- struct{}{}
			r.say("the request: %s", c.answer())
			_ = c.c.Close()
			r.say("the first: %s", first.end())
			second.end()
		},
	},
	{
		Name: "shutdown-context-ended", What: "Shutdown with a context that has ended already; then one more request",
		Want: "Shutdown: context canceled; the request that ran: 200, close, FIN; one more: not sent",
		More: []string{"TestShutdownWithAContextThatHasEnded"},
		run: func(r *rig) {
			r.listen()
			c := r.dial()
			c.send(get("/held"))
			r.await("the handler", r.held, 1)
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			st := r.begin(ctx)
			r.awaitServe(nil)
			st.sayEnd()
			r.gate <- struct{}{}
			c.sayOneMore()
		},
	},
	{
		Name: "handler-ignores-done", What: "a handler that ignores ctx.Done for longer than Shutdown's context; then one more request",
		Want: "Shutdown: its context ended first; the request that ran: 200, close, FIN; one more: not sent",
		More: []string{"TestShutdownTimedOutStaysStopped", "TestShutdownAfterATimedOutOneWaitsForWhatIsLeft"},
		run: func(r *rig) {
			r.listen()
			c := r.dial()
			c.send(get("/held"))
			r.await("the handler", r.held, 1)
			r.stop(300 * time.Millisecond).sayEnd()
			r.gate <- struct{}{}
			c.sayOneMore()
		},
	},
	{
		Name: "serve-after-timeout", What: "Serve on a new listener after a Shutdown that timed out",
		Want: "Shutdown: its context ended first; a new client: 200; the request that ran: 200, close, FIN; one more: not sent; Shutdown: nil",
		More: []string{"TestServeAgainAfterATimedOutShutdown"},
		run: func(r *rig) {
			r.listen()
			c := r.dial()
			c.send(get("/held"))
			r.await("the handler", r.held, 1)
			r.stop(300 * time.Millisecond).sayEnd()
			r.listen()
			other := r.dial()
			r.say("a new client: %s", other.ask(get("/new")))
			r.gate <- struct{}{}
			c.sayOneMore()
			_, _ = c.c.Close(), other.c.Close()
			r.stop(bound).sayEnd()
		},
	},
}

// sayOneMore reads the response that was held, and tries the connection again
// unless it has been closed.
func (c *client) sayOneMore() {
	seen := c.answer()
	c.r.say("the request that ran: %s", seen)
	if seen == "200" && !c.look() {
		c.r.say("one more: %s", c.ask(get("/more")))
		return
	}
	c.r.say("one more: not sent")
}
