package main

import (
	"strconv"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"
)

const expectContinue = "Expect: 100-continue"

var messageFaults = []fault{
	{
		Name: "expect-continue-accepted", What: "Expect: 100-continue, the body comes after the stop",
		Want: "head before the stop: 100, 200; head after it: 100, 200, close, FIN; Shutdown: nil",
		More: []string{"TestExpectContinueAcrossTheStop"},
		run: func(r *rig) {
			r.listen()
			before, after := r.dialIdle(), r.dialIdle()
			head, body, _ := strings.Cut(post("/post", "body", expectContinue), "\r\n\r\n")
			head += "\r\n\r\n"
			first := before.ask(head)
			st := r.stop(bound)
			r.say("head before the stop: %s, %s", first, before.ask(body))
			before.halfClose()
			if after.look() {
				r.say("head after it: closed under the client")
			} else {
				r.say("head after it: %s, %s", after.ask(head), after.ask(body))
			}
			st.sayEnd()
		},
	},
	{
		Name: "expect-continue-refused", What: "Expect: 100-continue, refused; the client sends the body all the same",
		Want: "refused: 417, close, FIN; Shutdown: nil; executed: 0",
		More: []string{"TestRefusedExpectationAcrossTheStop"},
		run: func(r *rig) {
			refusing := make(chan struct{})
			r.srv.ContinueHandler = func(*fasthttp.RequestHeader) bool {
				close(refusing)
				<-r.gate
				return false
			}
			r.listen()
			c := r.dialIdle()
			c.send(post("/post", get("/body"), expectContinue))
			r.await("the refusal", refusing, 1)
			st := r.stop(bound)
			r.gate <- struct{}{}
			r.say("refused: %s", c.answer())
			_ = c.c.Close()
			st.sayEnd()
			r.say("executed: %d", r.ran("/post")+r.ran("/body"))
		},
	},
	{
		Name: "http10-keepalive", What: "HTTP/1.0 with Connection: keep-alive",
		Want: "running at the stop: 200; then: 200, close, FIN; idle at the stop: 200, close, FIN; Shutdown: nil",
		run: func(r *rig) {
			r.listen()
			old := func(path string) string {
				return message("GET", path, "HTTP/1.0", "", []string{"Connection: keep-alive"})
			}
			running, idle := r.dialIdle(), r.dialIdle()
			running.send(old("/held"))
			r.await("the handler", r.held, 1)
			st := r.stop(bound)
			r.gate <- struct{}{}
			r.say("running at the stop: %s", running.answer())
			r.say("then: %s", running.askIdle(old("/then")))
			r.say("idle at the stop: %s", idle.askIdle(old("/idle")))
			st.sayEnd()
		},
	},
	{
		Name: "client-says-close", What: "Connection: close from the client",
		Want: "running at the stop: 200, close, FIN; sent after it: 200, close, FIN; Shutdown: nil; account: 2 closed_after_response",
		run: func(r *rig) {
			r.listen()
			running, idle := r.dialIdle(), r.dialIdle()
			running.send(get("/held", "Connection: close"))
			r.await("the handler", r.held, 1)
			st := r.stop(bound)
			r.gate <- struct{}{}
			r.say("running at the stop: %s", running.answer())
			r.say("sent after it: %s", idle.askIdle(get("/idle", "Connection: close")))
			st.sayEnd()
			r.sayOutcomes()
		},
	},
	{
		Name: "smuggling", What: "bytes behind a response that says close: pipelined, as a body, with two lengths, and sent later",
		Want: "answers: 7 of 7; executed behind a close: 0; Shutdown: nil",
		run: func(r *rig) {
			r.srv.ContinueHandler = func(*fasthttp.RequestHeader) bool { return false }
			r.listen()
			hidden := get("/smuggled")
			candidates := []string{
				get("/a", "Connection: close") + hidden,
				message("GET", "/a", "HTTP/1.0", "", nil) + hidden,
				post("/a", "body", "Connection: close") + hidden,
				post("/a", hidden, expectContinue),
				message("POST", "/a", "HTTP/1.1", hidden, []string{"Content-Length: 0", "Content-Length: " + strconv.Itoa(len(hidden))}),
				message("POST", "/a", "HTTP/1.1", "0\r\n\r\n"+hidden, []string{"Connection: close", "Content-Length: 4", "Transfer-Encoding: chunked"}),
			}
			var clients []*client
			for range len(candidates) + 1 {
				clients = append(clients, r.dialIdle())
			}
			st := r.stop(bound)
			answers := 0
			// They look at the same time: one after the other takes a third of the window.
			closed := make([]bool, len(clients))
			var looks sync.WaitGroup
			for i, c := range clients {
				looks.Go(func() { closed[i] = c.look() })
			}
			looks.Wait()
			for i, c := range clients {
				if closed[i] {
					continue
				}
				if i < len(candidates) {
					c.send(candidates[i])
				} else {
					c.send(get("/a"))
				}
				seen := c.read()
				if strings.HasSuffix(seen, ", close") {
					answers++
				}
				c.send(hidden) // and once more, behind the response
			}
			for _, c := range clients {
				_ = c.c.Close()
			}
			r.say("answers: %d of %d", answers, len(clients))
			r.say("executed behind a close: %d", r.ran("/smuggled"))
			st.sayEnd()
		},
	},
}
