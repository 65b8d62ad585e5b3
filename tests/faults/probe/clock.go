package main

import (
	"net"
	"time"
)

// jumpClock sets the wall clock of the process forward or back. It is there only
// in a probe that was built with a standard library that can: see the tests.
var jumpClock = func(time.Duration) {
	fail("this probe cannot make the clock jump: run it by go test -C tests ./faults")
}

var clockFaults = []fault{
	{
		Name: "clock-forward", What: "the wall clock jumps an hour forward before the stop, and again in the window",
		Want: clockWant,
		run:  func(r *rig) { r.jumpAcrossTheStop(time.Hour) },
	},
	{
		Name: "clock-back", What: "the wall clock jumps an hour back before the stop, and again in the window",
		Want: clockWant,
		run:  func(r *rig) { r.jumpAcrossTheStop(-time.Hour) },
	},
	{
		Name: "clock-back-deaf", What: "a connection that ignores deadlines, and a wall clock that jumps back before the stop",
		Want: "Shutdown: nil; account: 1 forced",
		More: []string{"TestConnectionThatIgnoresDeadlinesIsClosed"},
		run: func(r *rig) {
			r.drain.finalRead = 300 * time.Millisecond
			ln, err := net.Listen("tcp4", "127.0.0.1:0")
			r.check(err)
			r.serve(deafListener{ln})
			r.dialWaiting()
			jumpClock(-time.Hour)
			r.stop(5 * time.Second).sayEnd()
			r.sayOutcomes()
		},
	},
}

const clockWant = "running at the stop: 200; idle, asked at once: 200, close, FIN; asked after the second jump: 200, close, FIN; silent: FIN; Shutdown: nil"

func (r *rig) jumpAcrossTheStop(by time.Duration) {
	r.listen()
	running, soon, later, quiet := r.dialIdle(), r.dialIdle(), r.dialIdle(), r.dialIdle()
	running.send(get("/held"))
	r.await("the handler", r.held, 1)
	jumpClock(by)
	st := r.stop(bound)
	r.gate <- struct{}{}
	r.say("running at the stop: %s", running.read())
	running.halfClose()
	r.say("idle, asked at once: %s", soon.askIdle(get("/soon")))
	jumpClock(by)
	r.say("asked after the second jump: %s", later.askIdle(get("/later")))
	r.say("silent: %s", quiet.rest())
	st.sayEnd()
}

// deafListener hands out connections whose Read obeys no deadline.
type deafListener struct{ net.Listener }

func (l deafListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return deafConn{c}, nil
}

type deafConn struct{ net.Conn }

func (deafConn) SetReadDeadline(time.Time) error { return nil }
func (deafConn) SetDeadline(time.Time) error     { return nil }
