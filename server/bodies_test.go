package fasthttp

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"
)

// A client that half-closes after its request still gets its answer.
func TestHalfClosedClientGetsItsAnswer(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		for _, begun := range []string{"before the stop", "after the stop"} {
			release, running := make(chan struct{}), make(chan struct{}, 1)
			r := startDrainRig(t, k, heldServer(release, running, Drain{FinalRead: 5 * time.Second}))
			c := r.dialIdle()
			var call *drainCall
			if begun == "after the stop" {
				call = r.stop()
			}
			c.get("/held")
			c.halfClose()
			r.await("the handler", running)
			if call == nil {
				call = r.stop()
			}
			close(release)
			reply, err := c.read()
			if err != nil || reply.body != "/held" {
				t.Fatalf("begun %s: response %+v, %v", begun, reply, err)
			}
			c.wantEOF()
			if report := call.wantNil(); report.Late != 0 {
				t.Errorf("begun %s: late %d, want 0", begun, report.Late)
			}
		}
	})
}

// Expect: 100-continue across the stop: the body comes after it.
func TestExpectContinueAcrossTheStop(t *testing.T) {
	const head = "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
	for _, stream := range []bool{false, true} {
		eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
			for _, at := range []string{"before the head", "between head and body"} {
				r := startDrainRig(t, k, &Server{
					StreamRequestBody: stream,
					Drain:             Drain{FinalRead: 5 * time.Second},
					Handler:           func(ctx *RequestCtx) { _, _ = ctx.Write(ctx.Request.Body()) },
				})
				c := r.dialIdle()
				var call *drainCall
				if at == "before the head" {
					call = r.stop()
				}
				c.send(head)
				c.wantCode(StatusContinue, keepAlive)
				if call == nil {
					call = r.stop()
				}
				c.send("body")
				c.want("body", at == "before the head")
				if at == "before the head" {
					c.wantEOF()
				}
				_ = c.c.Close()
				call.wantNil()
			}
		})
	}
}

// A refused expectation closes the connection; the body that the client sends
// all the same neither resets it nor counts as a late request.
func TestRefusedExpectationAcrossTheStop(t *testing.T) {
	const head = "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
	for _, refuse := range []string{"ContinueHandler", "ExpectHandler"} {
		t.Run(refuse, func(t *testing.T) {
			eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
				at, goOn := make(chan struct{}), make(chan struct{})
				s := &Server{Drain: Drain{FinalRead: 5 * time.Second, Linger: drainBound}}
				hold := func() {
					close(at)
					<-goOn
				}
				if refuse == "ContinueHandler" {
					s.ContinueHandler = func(*RequestHeader) bool { hold(); return false }
				} else {
					s.ExpectHandler = func(*RequestCtx) int { hold(); return StatusExpectationFailed }
				}
				r := startDrainRig(t, k, s)
				c := r.dialIdle()
				c.send(head)
				r.await("the refusal", at)
				call := r.stop()
				if k.net != "memory" {
					c.send("body")
				}
				close(goOn)
				c.wantCode(StatusExpectationFailed, saysClose)
				c.wantEOF()
				_ = c.c.Close()
				report := call.wantNil()
				if r.executed.Load() != 1 || report.Late != 0 || report.Outcomes.ClosedAfterResponse != 1 {
					t.Errorf("%d executed, report %+v, want 1, and a connection closed after its response", r.executed.Load(), report)
				}
			})
		})
	}
}

// A streamed body that is still on its way at the stop, whatever the handler
// reads of it: the response is whole, and the next request is served.
func TestStreamedBodyAcrossTheStop(t *testing.T) {
	body := strings.Repeat("x", 32<<10)
	for _, chunked := range []bool{false, true} {
		for _, reads := range []string{"all", "a part", "nothing"} {
			name := reads + " of it is read"
			head := "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n"
			text := body
			if chunked {
				name += ", chunked"
				head = "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
				text = "8000\r\n" + body + "\r\n0\r\n\r\n"
			}
			t.Run(name, func(t *testing.T) {
				eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
					streamBodyAcrossTheStop(t, k, reads, head, text)
				})
			})
		}
	}
}

func streamBodyAcrossTheStop(t *testing.T, k drainKind, reads, head, text string) {
	t.Helper()
	const prefetched = 12 << 10 // more than what is read before the handler begins
	begun, goOn := make(chan struct{}), make(chan struct{})
	s := &Server{StreamRequestBody: true, Drain: Drain{FinalRead: 5 * time.Second}}
	s.Handler = func(ctx *RequestCtx) {
		if string(ctx.Path()) != "/post" {
			_, _ = ctx.Write(ctx.Path())
			return
		}
		close(begun)
		<-goOn
		var err error
		switch reads {
		case "all":
			_, err = io.Copy(io.Discard, ctx.RequestBodyStream())
		case "a part":
			_, err = io.CopyN(io.Discard, ctx.RequestBodyStream(), 1000)
		}
		if err != nil {
			ctx.SetStatusCode(StatusTeapot)
		}
		_, _ = ctx.WriteString("posted")
	}
	r := startDrainRig(t, k, s)
	c := r.dialIdle()
	c.send(head + text[:prefetched])
	r.await("the handler", begun)
	call := r.stop()
	close(goOn)
	go func() { _, _ = io.WriteString(c.c, text[prefetched:]) }()
	c.want("posted", keepAlive)
	r.awaitTrue("the body is over", func() bool { return s.ConnStats().Idle == 1 })
	c.get("/next")
	c.want("/next", saysClose)
	c.wantEOF()
	_ = c.c.Close()
	report := call.wantNil()
	if report.Late != 0 || report.FinalReadServed != 1 {
		t.Errorf("report %+v, want none late and one request served in its final read", report)
	}
}

// The body of a request in the window is its own, and what follows it too.
func TestStreamedBodyInTheWindow(t *testing.T) {
	eachDrainKind(t, "tcp tls memory", func(t *testing.T, k drainKind) {
		for _, read := range []bool{true, false} {
			s := &Server{StreamRequestBody: true, Drain: Drain{FinalRead: 5 * time.Second}}
			s.Handler = func(ctx *RequestCtx) {
				if read && ctx.IsPost() {
					_, _ = io.Copy(io.Discard, ctx.RequestBodyStream())
				}
				_, _ = ctx.Write(ctx.Path())
			}
			r := startDrainRig(t, k, s)
			c := r.dialIdle()
			call := r.stop()
			body := strings.Repeat("x", 8000)
			c.send("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n" + body + drainGet("/2"))
			c.want("/1", keepAlive)
			c.want("/2", saysClose)
			c.wantEOF()
			_ = c.c.Close()
			call.wantNil()
		}
	})
}

// TLS over connections that are no sockets drains as well.
func TestTLSInMemory(t *testing.T) {
	for _, reduce := range []bool{false, true} {
		inDrainBubble(t, func(t *testing.T) {
			k := drainKind{"memory", reduce}
			s := &Server{Handler: func(ctx *RequestCtx) { _, _ = ctx.Write(ctx.Path()) }}
			r := newDrainRig(t, k, s)
			ln := fasthttputil.NewInmemoryListener()
			r.ln = ln
			go func() { r.served <- s.Serve(tls.NewListener(ln, drainTestTLS())) }()
			dial := func() *drainClient {
				conn, err := ln.Dial()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = conn.Close() })
				return newDrainClient(t, newDrainTLSClient(conn))
			}
			final, silent, pipelined := dial(), dial(), dial()
			for _, c := range []*drainClient{final, silent, pipelined} {
				c.get("/before")
				c.want("/before", keepAlive)
			}
			call := r.stop()
			pipelined.send(drainGet("/1") + drainGet("/2"))
			pipelined.want("/1", keepAlive)
			pipelined.want("/2", saysClose)
			final.get("/final")
			final.want("/final", saysClose)
			for _, c := range []*drainClient{final, silent, pipelined} {
				c.wantEOF()
				_ = c.c.Close()
			}
			call.wantNil()
		})
	}
}
