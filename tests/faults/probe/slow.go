package main

import (
	"strings"
	"time"
)

// headTime is a ReadTimeout that no request which is sent byte by byte takes, even where
// each byte waits for a busy machine; the window is longer.
const headTime = 5 * time.Second

var slowFaults = []fault{
	{
		Name: "slowloris-head", What: "heads that come byte by byte across the stop, and one that never ends",
		Want: "begun before the stop: 200; begun after it: 200, close, FIN; never ended: 400, close, FIN; Shutdown: nil",
		More: []string{"TestRequestByteByByteAcrossTheStop"},
		run: func(r *rig) {
			r.srv.ReadTimeout = headTime
			r.listen()
			before, after, never := r.dialIdle(), r.dialIdle(), r.dialIdle()
			head := get("/slow")
			before.trickle(head[:len(head)/2])
			never.trickle(head[:len(head)/2])
			r.await("two requests to begin", r.active, 2)
			st := r.stop(bound)
			before.trickle(head[len(head)/2:])
			r.say("begun before the stop: %s", before.read())
			before.halfClose()
			if after.look() {
				r.say("begun after it: closed under the client")
			} else {
				after.trickle(head)
				r.say("begun after it: %s", after.answer())
			}
			r.say("never ended: %s", never.answer())
			st.sayEnd()
		},
	},
	{
		Name: "slowloris-body", What: "bodies that come byte by byte across the stop, and one that never ends",
		Want: "begun before the stop: 200; begun after it: 200, close, FIN; never ended: 408, close, FIN; Shutdown: nil",
		More: []string{"TestStreamedBodyAcrossTheStop"},
		run: func(r *rig) {
			r.srv.ReadTimeout = headTime
			r.listen()
			before, after, never := r.dialIdle(), r.dialIdle(), r.dialIdle()
			request := post("/slow", "0123456789")
			cut := len(request) - 5
			before.send(request[:cut])
			never.send(request[:cut])
			r.await("two requests to begin", r.active, 2)
			st := r.stop(bound)
			before.trickle(request[cut:])
			r.say("begun before the stop: %s", before.read())
			before.halfClose()
			if after.look() {
				r.say("begun after it: closed under the client")
			} else {
				after.trickle(request)
				r.say("begun after it: %s", after.answer())
			}
			r.say("never ended: %s", never.answer())
			st.sayEnd()
		},
	},
	{
		Name: "client-stops-reading", What: "a client that stops reading: the send buffer is full, WriteTimeout is set",
		Want: "Shutdown: nil; account: 1 error",
		More: []string{"TestClientThatNeverReadsIsBoundedByWriteTimeout", "TestClientThatNeverReadsIsBoundedByTheContext"},
		run: func(r *rig) {
			r.srv.WriteTimeout = 500 * time.Millisecond
			r.listen()
			r.dial().send(get("/endless"))
			r.await("the response to fill the buffers", r.full, 1)
			// The response holds on there, so that WriteTimeout cannot end it before.
			st := r.stop(bound)
			close(r.goOn)
			st.sayEnd()
			r.sayOutcomes()
		},
	},
	{
		Name: "pipeline-without-end", What: "100,000 pipelined requests from one client",
		Want: "the stop cuts the pipeline: true; every executed request is answered, the last response says close, then FIN: true; Shutdown: nil",
		More: []string{"TestPipelineWithoutEndIsCutAtTheWindow"},
		run: func(r *rig) {
			const requests = 100_000
			r.drain.finalRead = 300 * time.Millisecond
			r.listen()
			c := r.dial()
			written := make(chan struct{})
			go func() {
				defer close(written)
				for range requests / 100 {
					c.send(strings.Repeat(get("/more"), 100))
				}
			}()
			for range 100 {
				if seen := c.read(); seen != "200" {
					r.giveUp("before the stop: %s", seen)
				}
			}
			st := r.stop(bound)
			answers, last := 100, ""
			for {
				seen := c.read()
				if !strings.HasPrefix(seen, "200") {
					r.say("the stop cuts the pipeline: %t", answers < requests)
					r.say("every executed request is answered, the last response says close, then FIN: %t",
						r.ran("/more") == answers && strings.HasSuffix(last, ", close") && seen == "FIN")
					break
				}
				answers, last = answers+1, seen
			}
			_ = c.c.Close()
			<-written
			st.sayEnd()
		},
	},
}
