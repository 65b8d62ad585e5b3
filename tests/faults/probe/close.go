package main

import "time"

var closeFaults = []fault{
	{
		Name: "client-never-closes", What: "a client that keeps its side open after the server's FIN",
		Want: "the client: FIN; Shutdown: nil; account: 1 closed_idle",
		More: []string{"TestLingerEndsWithItsTime", "TestLingerEndsWithItsBytes"},
		run: func(r *rig) {
			r.drain.finalRead = -1
			r.listen()
			c := r.dialIdle()
			st := r.stop(bound)
			r.say("the client: %s", c.rest())
			st.sayEnd()
			r.sayOutcomes()
		},
	},
	{
		Name: "client-resets", What: "clients that reset: in each phase, while idle, in a handler, in the linger",
		Want: "phases with a reset: lame_duck closing_listeners draining; Shutdown: nil; account: 1 closed_after_response; account: 4 client_closed",
		More: []string{"TestDrainReportAddsUpWhateverClientsDo"},
		run: func(r *rig) {
			r.drain.lameDuck = 300 * time.Millisecond // the reset in it is not in the account
			r.drain.linger = bound
			clients := make(chan *client, 8)
			phases := ""
			r.drain.onPhase = func(phase string) {
				select {
				case c := <-clients:
					phases += " " + phase
					open := openConns(r.srv)
					c.reset()
					if phase == "lame_duck" {
						// The stop may not come before the server has noticed.
						for end := time.Now().Add(bound); openConns(r.srv) >= open && time.Now().Before(end); {
							time.Sleep(time.Millisecond)
						}
					}
				default:
				}
			}
			r.listen()
			held, lingering, idle := r.dialIdle(), r.dialIdle(), r.dialIdle()
			for range 3 {
				clients <- r.dialIdle()
			}
			held.send(get("/held"))
			r.await("the handler", r.held, 1)
			st := r.stop(bound)
			held.reset()
			lingering.askIdle(get("/last"))
			lingering.reset()
			idle.reset()
			r.gate <- struct{}{}
			end := st.end()
			if phases != "" {
				r.say("phases with a reset:%s", phases)
			}
			r.say("Shutdown: %s", end)
			r.sayOutcomes()
		},
	},
	{
		Name: "half-closed-client", What: "a client that half-closes after its request and waits for the answer",
		Want: "sent before the stop: 200, close, FIN; sent after it: 200, close, FIN; Shutdown: nil",
		More: []string{"TestHalfClosedClientGetsItsAnswer"},
		run: func(r *rig) {
			r.srv.CloseOnShutdown = true
			r.listen()
			before, after := r.dialIdle(), r.dialIdle()
			before.send(get("/held"))
			before.halfClose()
			r.await("the handler", r.held, 1)
			st := r.stop(bound)
			r.gate <- struct{}{}
			r.say("sent before the stop: %s", before.answer())
			if after.look() {
				r.say("sent after it: closed under the client")
			} else {
				after.send(get("/after"))
				after.halfClose()
				r.say("sent after it: %s", after.answer())
			}
			st.sayEnd()
		},
	},
}
