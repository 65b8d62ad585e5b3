package compat

import (
	"fmt"
	"slices"
	"time"

	"github.com/fastdrain/fastdrain/tests/compat/client"
)

// soon is when clients use their connections after the stop: within any window, and
// before upstream's poll.
const soon = 30 * time.Millisecond

func get(path, id string) string {
	return fmt.Sprintf("GET %s?id=%s HTTP/1.1\r\nHost: a\r\n\r\n", path, id)
}

func send(path string, ids ...string) client.Step {
	s := client.Step{Op: client.Send, IDs: ids}
	for _, id := range ids {
		s.Bytes += get(path, id)
	}
	return s
}

func answers(n int) client.Step             { return client.Step{Op: client.Answers, N: n} }
func running(id string) client.Step         { return client.Step{Op: client.Running, IDs: []string{id}} }
func stop(after time.Duration) client.Step  { return client.Step{Op: client.Stop, After: after} }
func pause(after time.Duration) client.Step { return client.Step{Op: client.Pause, After: after} }

// unused connects, and sends its first request after the stop.
func unused(id string) client.Script {
	return client.Script{State: "unused", Steps: []client.Step{stop(soon), send("/fast", id), answers(1)}}
}

// head sends half of its first request before the stop.
func head(id string) client.Script {
	all := get("/fast", id)
	return client.Script{State: "in the head", Steps: []client.Step{
		{Op: client.Send, Bytes: all[:9]},
		stop(soon),
		{Op: client.Send, Bytes: all[9:], IDs: []string{id}},
		answers(1),
	}}
}

// handshake sends half of its ClientHello before the stop.
func handshake(id string) client.Script {
	return client.Script{State: "in the handshake", Hello: 60, Steps: []client.Step{send("/fast", id), answers(1)}}
}

// header connects, and what comes before everything, a PROXY header, comes after the
// stop.
func header(id, text string) client.Script {
	return client.Script{State: "before the header", Steps: []client.Step{
		stop(soon), {Op: client.Send, Bytes: text + get("/fast", id), IDs: []string{id}}, answers(1),
	}}
}

// idle has had an answer, and sends its next request after the stop.
func idle(id string) client.Script {
	return client.Script{State: "idle", Steps: []client.Step{
		send("/fast", id+".1"), answers(1), stop(soon), send("/fast", id+".2"), answers(2),
	}}
}

// rests has had an answer, and sends nothing more.
func rests(id string) client.Script {
	return client.Script{State: "resting", Steps: []client.Step{send("/fast", id), answers(1), stop(0)}}
}

// silent connects and says nothing.
func silent() client.Script {
	return client.Script{State: "silent", Steps: []client.Step{stop(0)}}
}

// runs has a request running at the stop.
func runs(id string) client.Script {
	return client.Script{State: "running", Steps: []client.Step{send("/wait", id), running(id), stop(0), answers(1)}}
}

// pipelined has one running and three behind it.
func pipelined(id string) client.Script {
	first := send("/wait", id+".1")
	rest := send("/fast", id+".2", id+".3", id+".4")
	first.Bytes += rest.Bytes
	first.IDs = append(first.IDs, rest.IDs...)
	return client.Script{State: "pipelined", Steps: []client.Step{first, running(id + ".1"), stop(0), answers(4)}}
}

// talks has a WebSocket, and goes on to use it after the stop.
func talks(id string) client.Script {
	const upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	say := func(id string) client.Step {
		return client.Step{Op: client.Send, Bytes: client.Message(id), IDs: []string{id}}
	}
	return client.Script{State: "WebSocket", Steps: []client.Step{
		{Op: client.Send, Bytes: upgrade}, say(id + ".1"), answers(1), stop(soon), say(id + ".2"), answers(2),
	}}
}

// queued connects and sends to a server that is not running at that moment.
func queued(id string) client.Script {
	return client.Script{State: "in the accept queue", Hello: -1, Steps: []client.Step{send("/fast", id), stop(0), answers(1)}}
}

// all are a few clients in each state.
func all() (scripts []client.Script) {
	for i := range 2 {
		scripts = append(scripts, unused(fmt.Sprintf("unused%d", i)), head(fmt.Sprintf("head%d", i)),
			idle(fmt.Sprintf("idle%d", i)), runs(fmt.Sprintf("runs%d", i)), pipelined(fmt.Sprintf("pipelined%d", i)))
	}
	return scripts
}

// queue are clients in the accept queue.
func queue(n int) (scripts []client.Script) {
	for i := range n {
		scripts = append(scripts, queued(fmt.Sprintf("queued%d", i)))
	}
	return scripts
}

// secret has clients make handshakes.
func secret(scripts []client.Script) (secure []client.Script) {
	for _, s := range scripts {
		s.TLS = true
		secure = append(secure, s)
	}
	return secure
}

// overTLS has clients make handshakes, some of them half before the stop.
func overTLS(scripts []client.Script) (secure []client.Script) {
	secure = secret(scripts)
	for i := range 2 {
		s := handshake(fmt.Sprintf("handshake%d", i))
		s.TLS = true
		secure = append(secure, s)
	}
	return secure
}

// behind has a line sent before all else.
func behind(first string, scripts []client.Script) (proxied []client.Script) {
	for _, s := range scripts {
		s.First = first
		proxied = append(proxied, s)
	}
	return proxied
}

// leaving has the clients leave when they have their answers, where a connection may
// be one of a server that is not stopped.
func leaving(scripts []client.Script) (left []client.Script) {
	for _, s := range scripts {
		s.Steps = append(slices.Clip(s.Steps), client.Step{Op: client.Leave})
		left = append(left, s)
	}
	return left
}
