package fasthttp

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// Bytes that are no request, or the beginning of one that does not go on, hold a
// stop no longer than the window and a second.
func TestPartOfAHeadEndsWithTheWindow(t *testing.T) {
	for _, part := range []string{"\r\n", "\r\n\n\r\n", "GET /", "GET / HTTP/1.1\r\nHost: a\r\n"} {
		for _, reject := range []bool{false, true} {
			for _, timeout := range []time.Duration{0, time.Hour} {
				inDrainBubble(t, func(t *testing.T) {
					s := &Server{ReadTimeout: timeout, Drain: Drain{Reject: reject}}
					r := startDrainRig(t, drainKind{net: "memory"}, s)
					c := r.dialIdle()
					call := r.stop()
					c.send(part)
					c.wantEOF()
					_ = c.c.Close()
					report := call.wantNil()
					if most := 2*DefaultFinalRead + partRead + 2*deafGrace; report.Duration > most || report.Late != 0 {
						t.Errorf("%q: %v, want none late, in %v at most", part, report, most)
					}
				})
			}
		}
	}
}

// So on a connection that gives each Read a deadline of its own: ReadTimeout does not
// end those.
func TestPartOfAHeadAtAWrapper(t *testing.T) {
	for _, part := range []string{"\r\n", "GET /"} {
		for _, timeout := range []time.Duration{0, 100 * time.Millisecond} {
			inDrainBubble(t, func(t *testing.T) {
				r := startWrapped(t, drainKind{net: "memory"}, &Server{ReadTimeout: timeout, IdleTimeout: time.Hour}, func(c net.Conn) net.Conn { return perReadConn{c} })
				c := r.dialIdle()
				call := r.stop()
				c.send(part)
				c.wantEOF()
				_ = c.c.Close()
				if report, most := call.wantNil(), 2*DefaultFinalRead+partRead+3*deafGrace; report.Duration > most {
					t.Errorf("%q, ReadTimeout %v: %v, want %v at most", part, timeout, report, most)
				}
			})
		}
	}
}

// Line ends that came behind the body of a request that ran at the stop are not waited
// behind, whatever the connection is, and hold no response back.
func TestLineEndsBehindABody(t *testing.T) {
	const head = "POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"
	for _, stream := range []bool{false, true} {
		for _, wrapped := range []bool{false, true} {
			inDrainBubble(t, func(t *testing.T) {
				release, running := make(chan struct{}), make(chan struct{}, 1)
				s := heldServer(release, running, Drain{})
				s.ReadTimeout, s.StreamRequestBody = DefaultFinalRead+partRead/2, stream
				r := startWrapped(t, drainKind{net: "memory"}, s, func(c net.Conn) net.Conn {
					if wrapped {
						return perReadConn{c}
					}
					return c
				})
				c := r.dial()
				c.send(head + "x\r\n")
				r.await("the handler", running)
				call := r.stop()
				close(release)
				c.want("/held", keepAlive)
				c.wantEOF()
				_ = c.c.Close()
				report := call.wantNil()
				if most := 3*DefaultFinalRead + 2*deafGrace; report.Duration > most || report.Late != 0 || report.Outcomes.ClosedIdle != 1 {
					t.Errorf("stream %t, wrapped %t: %v, want one closed idle, in %v at most", stream, wrapped, report, most)
				}
			})
		}
	}
}

// A request that is there when a quarter of the context is left is answered, also where
// only its first byte has been read by then: upstream, which waits for such a connection,
// answers it.
func TestHeadNearTheEndOfTheContext(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		t.Run(fmt.Sprint("ReduceMemoryUsage ", reduce), func(t *testing.T) {
			inDrainBubble(t, func(t *testing.T) {
				s := &Server{Handler: func(*RequestCtx) {}, ReduceMemoryUsage: reduce, Logger: silentDrainLog{}}
				c, client := net.Pipe()
				served := make(chan error, 1)
				go func() { served <- s.ServeConn(struct{ net.Conn }{c}) }() // of an unknown type
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				stopped := make(chan error, 1)
				go func() { stopped <- s.ShutdownWithContext(ctx) }()
				time.Sleep(280 * time.Millisecond)
				go func() { _, _ = io.WriteString(client, drainGet("/")) }()
				var resp Response
				if err := resp.Read(bufio.NewReader(client)); err != nil {
					t.Error(err)
				}
				_ = client.Close()
				<-served
				if err := <-stopped; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// So is the first of those that came while a request ran to that end.
func TestRequestBehindOneThatRanToTheEndOfTheContext(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		running, release := make(chan struct{}, 1), make(chan struct{})
		s := heldServer(release, running, Drain{})
		r := startDrainRig(t, drainKind{"tcp", reduce}, s)
		c := r.dial()
		c.get("/held")
		r.await("the handler", running)
		ctx, cancel := context.WithTimeout(r.ctx, time.Second)
		defer cancel()
		call := r.stopWith(ctx)
		c.send(drainGet("/one") + drainGet("/two"))
		time.Sleep(800 * time.Millisecond) // the last quarter of the context is for what follows a window
		close(release)
		c.want("/held", keepAlive)
		c.want("/one", saysClose)
		c.wantEOF()
		_ = c.c.Close()
		_ = call.wait()
	}
}
