package compat

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/fastdrain/fastdrain/tests/compat/client"
	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

const ms = time.Millisecond

// What is no request: a line end before one (RFC 9112 section 2.2), and the beginning
// of one that has no end.
const (
	lineEnd  = "\r\n"
	halfHead = "GET /fa"
)

// drawing draws a stop. What comes first in each list is the plainest: shrinking goes
// there.
func drawing(t *rapid.T) (d draw.Draw) {
	d.Listeners = rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(t, "listeners")
	d.TLS = rapid.SampledFrom([]string{"", "", "", draw.Above, draw.Below, draw.ServeTLS}).Draw(t, "tls")
	if d.TLS == draw.ServeTLS {
		d.Listeners = 1
	}
	d.Conn = wrappers(t, "conn", draw.ConnWrappers, d.TLS == draw.Below)
	d.Listener = wrappers(t, "listener", draw.ListenerWrappers, false)
	d.Context = rapid.SampledFrom([]time.Duration{time.Second, time.Second, time.Second, 2 * time.Second, 600 * ms, 300 * ms}).Draw(t, "context")
	d.Look = rarely(t, "look")
	d.Server = settings(t, d.TLS != "")

	if slices.Contains(d.Listener, "failing") {
		d.Listeners = 1
	}
	first := ""
	if slices.Contains(d.Conn, "header") || slices.Contains(d.Conn, "addr") {
		first = draw.Header
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "clients") {
		d.Clients = append(d.Clients, script(t, fmt.Sprintf("c%d", i), d, first))
	}
	late := rapid.SampledFrom([]int{0, 0, 1, 4}).Draw(t, "late")
	if slices.Contains(d.Listener, "failing") {
		late = 0
	}
	for i := range late {
		d.Late = append(d.Late, lateScript(fmt.Sprintf("l%d", i), d, first))
	}
	return d
}

// rarely is true at times.
func rarely(t *rapid.T, label string) bool {
	return rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, label)
}

func wrappers(t *rapid.T, label string, names []string, noHeader bool) (drawn []string) {
	for range rapid.SampledFrom([]int{0, 0, 1, 1, 2}).Draw(t, label) {
		name := rapid.SampledFrom(names).Draw(t, label)
		headed := name == "header" || name == "addr"
		if headed && (noHeader || slices.Contains(drawn, "header") || slices.Contains(drawn, "addr")) || slices.Contains(drawn, name) {
			continue // a connection begins with one header, below TLS
		}
		drawn = append(drawn, name)
	}
	return drawn
}

func settings(t *rapid.T, secure bool) (s draw.Server) {
	s.ReduceMemoryUsage = rarely(t, "ReduceMemoryUsage")
	s.StreamRequestBody = rarely(t, "StreamRequestBody")
	s.CloseOnShutdown = rarely(t, "CloseOnShutdown")
	switch rapid.SampledFrom([]string{"", "", "", "", "concurrency", "ip", "requests", "timeouts"}).Draw(t, "limit") {
	case "concurrency":
		s.Concurrency = 2
	case "ip":
		s.MaxConnsPerIP = 2
	case "requests":
		s.MaxRequestsPerConn = 3
	case "timeouts":
		s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = time.Second, time.Second, time.Second
	}
	s.Reject = rapid.SampledFrom([]bool{false, false, false, false, false, true}).Draw(t, "reject")
	s.ForceClose = rarely(t, "ForceClose")
	durations := func(label string, of ...time.Duration) time.Duration { return rapid.SampledFrom(of).Draw(t, label) }
	s.ConnState = durations("ConnState", 0, 0, 0, 20*ms)
	s.LameDuck = durations("LameDuck", 0, 0, 0, 50*ms)
	s.FinalRead = durations("FinalRead", 0, 0, 0, 300*ms, -1)
	s.Linger = durations("Linger", 0, 0, 0, 200*ms)
	s.OnPhase = durations("OnPhase", 0, 0, 0, 0, 20*ms, 4*time.Second)
	switch {
	case secure && s.ReadTimeout > 0: // which holds for a handshake
		s.Certificate = durations("Certificate", 0, 100*ms)
	case secure:
		s.Certificate = durations("Certificate", 0, 0, 100*ms, 900*ms)
	}
	return s
}

// script draws what a client does.
func script(t *rapid.T, id string, d draw.Draw, first string) client.Script {
	s := client.Script{First: first, TLS: d.TLS != ""}
	n := 0
	next := func() string { n++; return fmt.Sprintf("%s.%d", id, n) }
	one := func(path string) client.Step { return send(path, next()) }
	several := func() (step client.Step) {
		for range rapid.IntRange(2, 5).Draw(t, "pipeline") {
			more := one("/fast")
			step = client.Step{Op: client.Send, Bytes: step.Bytes + more.Bytes, IDs: append(step.IDs, more.IDs...)}
		}
		return step
	}
	add := func(steps ...client.Step) { s.Steps = append(s.Steps, steps...) }
	// Before the stop.
	states := []string{"unused", "idle", "running", "pipelined", "in the head", "posting", "posting on", "uploading"}
	if s.TLS && d.Server.Certificate < 500*ms {
		states = append(states, "in the handshake")
	}
	s.State = rapid.SampledFrom(states).Draw(t, "state")
	rest := client.Step{}
	switch s.State {
	case "idle":
		add(one("/fast"), answers(1))
	case "running":
		add(one("/wait"))
		add(running(s.Steps[0].IDs[0]))
	case "pipelined":
		step := one("/wait")
		behind := several()
		add(client.Step{Op: client.Send, Bytes: step.Bytes + behind.Bytes, IDs: append(step.IDs, behind.IDs...)}, running(step.IDs[0]))
	case "in the head":
		rest = one("/fast")
		at := rapid.IntRange(1, len(rest.Bytes)-1).Draw(t, "at")
		add(client.Step{Op: client.Send, Bytes: rest.Bytes[:at]})
		rest.Bytes = rest.Bytes[at:]
	case "posting", "posting on":
		first := post("/wait", next(), 100)
		rest := client.Step{Op: client.Send, Body: 100, IDs: first.IDs}
		if first.IDs = nil; s.State == "posting on" {
			rest.Bytes = lineEnd
		}
		add(first, rest, running(rest.IDs[0]))
	case "uploading":
		size := rapid.SampledFrom([]int{300, 20000}).Draw(t, "size")
		first := post(rapid.SampledFrom([]string{"/read", "/leave"}).Draw(t, "path"), next(), size)
		at := rapid.IntRange(0, size-1).Draw(t, "at")
		rest = client.Step{Op: client.Send, Body: size - at, IDs: first.IDs}
		first.IDs = nil
		add(first)
		if at > 0 {
			add(client.Step{Op: client.Send, Body: at})
		}
	case "in the handshake":
		s.Hello = rapid.IntRange(1, 100).Draw(t, "hello")
	}

	add(stop(rapid.SampledFrom([]time.Duration{0, 0, 5 * ms, 30 * ms, 60 * ms}).Draw(t, "after")))

	// And after it.
	if len(rest.IDs) > 0 && !rarely(t, "unfinished") {
		add(rest)
	} else if len(rest.IDs) > 0 {
		return s
	}
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		switch rapid.SampledFrom([]string{"send", "pipeline", "trickle", "line end", "pause", "half head", "half-close", "reset", "leave"}).Draw(t, "step") {
		case "send":
			add(one("/fast"))
		case "pipeline":
			add(several())
		case "trickle":
			step := one("/fast")
			step.Op = client.Trickle
			add(step)
		case "line end":
			add(client.Step{Op: client.Send, Bytes: lineEnd})
		case "pause":
			add(pause(20 * ms))
		case "half head":
			add(client.Step{Op: client.Send, Bytes: halfHead})
			return s
		case "half-close":
			add(client.Step{Op: client.Half})
			return s
		case "reset":
			add(client.Step{Op: client.Reset})
			return s
		case "leave":
			add(client.Step{Op: client.Leave})
			return s
		}
	}
	return s
}

// lateScript is a client that connects directly before the stop.
func lateScript(id string, d draw.Draw, first string) client.Script {
	s := queued(id)
	s.State, s.First, s.TLS = "just connected", first, d.TLS != ""
	return s
}

// post is the head of a request with a body of n bytes.
func post(path, id string, n int) client.Step {
	return client.Step{
		Op: client.Send, IDs: []string{id},
		Bytes: fmt.Sprintf("POST %s?id=%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", path, id, n),
	}
}
