package main

import "net"

// gatedListener holds its accept loop before each Accept from the n-th on, until the
// stop has been set: what connects meanwhile is in the kernel's accept queue. The stop
// itself lets the loop go on, as there is a second for the queue then, which the probe
// might be late for.
type gatedListener struct {
	net.Listener

	r    *rig
	n    int
	held chan struct{} // the loop has come to the n-th
}

func (l *gatedListener) Accept() (net.Conn, error) {
	if l.n--; l.n <= 0 {
		if l.n == 0 {
			close(l.held)
		}
		<-l.r.stopSet
	}
	return l.Listener.Accept()
}

// Close is where upstream's Shutdown gets to while the loop is held.
func (l *gatedListener) Close() error {
	err := l.Listener.Close()
	l.r.noteStop()
	return err
}

// serveGated serves on a listener that is held before the n-th Accept, until the stop.
func (r *rig) serveGated(ln net.Listener, n int) *gatedListener {
	gated := &gatedListener{ln, r, n, make(chan struct{})}
	r.serve(gated)
	return gated
}

var limitFaults = []fault{
	{
		Name: "max-conns-per-ip", What: "MaxConnsPerIP is reached, and one more is in the accept queue at the stop",
		Want: "the one more: 429, close, FIN; the one that was served: 200, close, FIN; Shutdown: nil; account: 1 closed_after_response; account: 1 rejected",
		More: []string{"TestRejectedConnectionIsNotResetDuringDrain", "TestLingerHoldsNoSlot"},
		run: func(r *rig) {
			r.srv.MaxConnsPerIP = 1
			overLimit(r)
		},
	},
	{
		Name: "concurrency", What: "Concurrency is reached, and one more is in the accept queue at the stop",
		Want: "the one more: 503, close, FIN; the one that was served: 200, close, FIN; Shutdown: nil; account: 1 closed_after_response; account: 1 rejected",
		More: []string{"TestRejectedConnectionIsNotResetDuringDrain"},
		run: func(r *rig) {
			r.srv.Concurrency = 1
			overLimit(r)
		},
	},
}

func overLimit(r *rig) {
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	r.check(err)
	ln := r.serveGated(inner, 2)
	first := r.dialIdle()
	r.await("the accept loop", ln.held, 1)
	more := r.dial()
	more.send(get("/more"))
	st := r.stop(bound)
	r.say("the one more: %s", more.answer())
	r.say("the one that was served: %s", first.askIdle(get("/first")))
	_, _ = first.c.Close(), more.c.Close()
	st.sayEnd()
	r.sayOutcomes()
}
