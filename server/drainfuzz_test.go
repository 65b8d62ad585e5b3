package fasthttp

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/iotest"
	"time"
)

// FuzzStopInAStream sends arbitrary bytes, cut into arbitrary chunks with
// arbitrary pauses, calls Shutdown somewhere among them, and holds what comes
// back against a reference that has read the same bytes without a server: it
// knows which requests are complete, and where each of them ends.
//
// Each pair of bytes in cuts is the length of a chunk and the pause before it.
// How flags are used is in newFuzzPlan. All of it runs in fake time.
func FuzzStopInAStream(f *testing.F) {
	get, post := drainGet("/a"), "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
	chunked := "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	expect := "POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"
	whole, halves, trickle := []byte{255, 0}, []byte{60, 0, 60, 9}, bytes.Repeat([]byte{3, 1}, 60)
	for flags := range uint16(16) {
		f.Add([]byte(get+post+chunked), halves, flags|1<<8)
		f.Add([]byte(get+get+get+get), whole, flags|3<<4)
	}
	f.Add([]byte(get), []byte{28, 0}, uint16(1<<8))
	f.Add([]byte(get+get+get), trickle, uint16(20<<8))
	f.Add([]byte(expect+get), halves, uint16(1<<8))
	f.Add([]byte("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"+get), halves, uint16(1<<8))
	f.Add([]byte("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"+get), halves, uint16(1<<8))
	f.Add([]byte("POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"+get), halves, uint16(1<<8))
	f.Add([]byte("POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"+get), halves, uint16(1<<8))
	f.Add([]byte("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\n"+get+"garbage\r\n\r\n"+get), trickle, uint16(9<<8))

	// The first response waits in the server's buffer for the second body.
	f.Add([]byte(get+"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), whole, uint16(1<<8|4<<4))
	f.Add([]byte(get+"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), whole, uint16(1<<8|1<<7|4<<4))

	// A streamed body without the last byte of its end.
	f.Add([]byte("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r"), []byte("70"), uint16(542))

	f.Fuzz(func(t *testing.T, stream, cuts []byte, flags uint16) {
		if len(stream) == 0 || len(stream) > 4<<10 || len(cuts) > 256 {
			return
		}
		p := newFuzzPlan(stream, cuts, flags)
		var ok bool
		if p.reqs, ok = referenceRequests(p.stream); !ok {
			return
		}
		inDrainBubble(t, p.run)
	})
}

// fuzzRequest is a complete request of a stream, as the reference sees it.
type fuzzRequest struct {
	method string
	answer string // what the handler says to it
	end    int    // the offset behind its last byte
	closes bool   // the client asked for close
}

// referenceRequests reads the complete requests of a stream, up to the first
// that is malformed, cut, or the last by its own will. Upstream's parser takes
// some malformed ones for complete or not by what has come behind them; ok says
// that it does not matter here how the stream is cut.
func referenceRequests(stream []byte) (reqs []fuzzRequest, ok bool) {
	whole, single := bytes.NewReader(stream), bytes.NewReader(stream)
	reqs = readReference(stream, whole, whole)
	return reqs, slices.Equal(reqs, readReference(stream, single, iotest.OneByteReader(single)))
}

func readReference(stream []byte, rest *bytes.Reader, from io.Reader) (reqs []fuzzRequest) {
	br := bufio.NewReaderSize(from, defaultReadBufferSize)
	for {
		var req Request
		err := req.Header.Read(br)
		if err == nil {
			err = req.parseURI()
		}
		if err == nil {
			err = req.readLimitBody(br, DefaultMaxRequestBodySize, false, false)
		}
		if err == nil && req.MayContinue() {
			err = req.ContinueReadBody(br, DefaultMaxRequestBodySize, false)
		}
		if err != nil {
			return reqs
		}
		reqs = append(reqs, fuzzRequest{
			method: string(req.Header.Method()),
			answer: fuzzAnswer(&req, req.Body()),
			end:    len(stream) - rest.Len() - br.Buffered(),
			closes: req.Header.ConnectionClose(),
		})
		if req.Header.ConnectionClose() {
			return reqs
		}
	}
}

// fuzzAnswer tells requests apart.
func fuzzAnswer(req *Request, body []byte) string {
	return fmt.Sprintf("%s %s %08x", req.Header.Method(), req.Header.RequestURI(), crc32.ChecksumIEEE(body))
}

// fuzzReadTimeout is longer than any stream takes.
const fuzzReadTimeout = 2 * time.Minute

// fuzzPlan is a run: what is sent when, and when Shutdown is called.
type fuzzPlan struct {
	stream  []byte
	cuts    []byte
	stopAt  int // before the chunk of that number
	handler time.Duration
	kind    drainKind
	s       *Server
	reqs    []fuzzRequest
}

func newFuzzPlan(stream, cuts []byte, flags uint16) *fuzzPlan {
	p := &fuzzPlan{
		cuts:    cuts,
		handler: []time.Duration{0, 0, time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, time.Microsecond}[flags>>4&7],
		kind:    drainKind{net: "memory", reduce: flags&1 != 0},
	}
	total := 0 // what the cuts send of the stream
	for i := 0; i+1 < len(cuts); i += 2 {
		total += int(cuts[i]) + 1
	}
	p.stream = stream[:min(total, len(stream))]
	p.stopAt = int(flags>>8) % (len(cuts)/2 + 2)
	p.s = &Server{
		ReadTimeout:                  fuzzReadTimeout * time.Duration(1-int(flags>>7&1)),
		StreamRequestBody:            flags&2 != 0,
		CloseOnShutdown:              flags&4 != 0,
		Drain:                        Drain{Reject: flags&8 != 0},
		DisablePreParseMultipartForm: true,
		Handler: func(ctx *RequestCtx) {
			body := ctx.Request.Body
			if stream := ctx.RequestBodyStream(); stream != nil {
				whole, err := io.ReadAll(stream)
				if err != nil {
					ctx.SetStatusCode(StatusBadRequest) // the body was cut or malformed
					ctx.SetConnectionClose()
					return
				}
				body = func() []byte { return whole }
			}
			time.Sleep(p.handler)
			_, _ = ctx.WriteString(fuzzAnswer(&ctx.Request, body()))
		},
	}
	return p
}

// fuzzReply is a response with the time of its end.
type fuzzReply struct {
	drainReply
	at time.Time
}

func (p *fuzzPlan) run(t *testing.T) {
	r := startDrainRig(t, p.kind, p.s)
	c := r.dial()
	var replies []fuzzReply
	var ended time.Time // of the connection, by the server
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			var req http.Request
			if len(replies) < len(p.reqs) {
				req.Method = p.reqs[len(replies)].method
			}
			res, err := http.ReadResponse(c.br, &req)
			if err != nil {
				ended = time.Now()
				return
			}
			if res.StatusCode == StatusContinue {
				continue
			}
			body, _ := io.ReadAll(res.Body)
			replies = append(replies, fuzzReply{drainReply{res.StatusCode, res.Close, string(body)}, time.Now()})
		}
	}()

	var call *drainCall
	var stopped time.Time
	stop := func() {
		if call == nil {
			call, stopped = r.stop(), time.Now()
		}
	}
	arrived := make([]time.Time, len(p.stream)) // zero where the server would not have it
	sent := 0
	for i := 0; i*2+1 < len(p.cuts) && sent < len(p.stream); i++ {
		time.Sleep(time.Duration(p.cuts[i*2+1]) * 3 * time.Millisecond)
		if i == p.stopAt {
			stop()
		}
		n := min(int(p.cuts[i*2])+1, len(p.stream)-sent)
		if _, err := c.c.Write(p.stream[sent : sent+n]); err != nil {
			break
		}
		for ; n > 0; n-- {
			arrived[sent] = time.Now()
			sent++
		}
		r.settle()
	}
	stop()
	// Long enough for every handler and for ReadTimeout; then only a request that
	// is cut is left, and no ReadTimeout to end it.
	select {
	case <-read:
	case <-time.After(time.Duration(len(p.reqs)+1)*p.handler + 2*p.s.ReadTimeout + 5*time.Second):
		_ = c.c.Close()
		<-read
		ended = time.Time{}
	}
	_ = c.c.Close()
	report := call.wantNil()
	p.check(t, replies, arrived, stopped, ended, report, int(r.executed.Load()))
}

// check holds what came back against the reference.
func (p *fuzzPlan) check(t *testing.T, replies []fuzzReply, arrived []time.Time, stopped, ended time.Time, report DrainReport, executed int) {
	sent := len(arrived)
	if i := slices.IndexFunc(arrived, time.Time.IsZero); i >= 0 {
		sent = i // the server had closed by then
	}
	p.reqs = slices.DeleteFunc(p.reqs, func(r fuzzRequest) bool { return r.end > sent })
	answered, rejected := 0, false
	for i, reply := range replies {
		if i > 0 && replies[i-1].shut {
			t.Fatalf("response %d after one that said close: %+v", i, replies)
		}
		switch {
		case reply.code == StatusOK:
			if i == len(p.reqs) && p.s.StreamRequestBody && reply == replies[len(replies)-1] {
				// Upstream's stream takes a chunked body whose last line is cut for
				// whole once ReadTimeout has ended the wait; read whole it does not.
				return
			}
			if i >= len(p.reqs) {
				t.Fatalf("%d requests are complete, and response %d is %+v", len(p.reqs), i, reply)
			}
			want := p.reqs[i].answer
			if p.reqs[i].method == MethodHead {
				want = ""
			}
			if reply.body != want {
				t.Fatalf("response %d is %q, want %q: each request once, in order", i, reply.body, want)
			}
			answered++
		case reply.code == StatusServiceUnavailable && p.s.Drain.Reject && reply.shut:
			rejected = true
		case i >= len(p.reqs) && reply.shut: // what is malformed
		default:
			t.Fatalf("response %d is %+v; %d requests are complete", i, reply, len(p.reqs))
		}
	}
	// A client that closes takes the answers with it: to a handler that reads a
	// cut body, and those that are kept back while the next body is read.
	clientClosed := ended.IsZero()
	cut := 0
	if p.s.StreamRequestBody {
		cut = 1
	}
	if executed < answered || executed > answered+cut && !clientClosed {
		t.Fatalf("%d requests executed, %d answered: %+v", executed, answered, replies)
	}

	// When did the server look last, and what was there?
	consumed := 0
	if answered > 0 {
		consumed = p.reqs[answered-1].end
	}
	look, why := ended, "the connection was closed while it waited"
	there := sent // the byte that must not have been there
	if answered < len(p.reqs) {
		there = p.reqs[answered].end - 1 // a part may have timed out
	}
	if n := len(replies); n > 0 && replies[n-1].shut {
		look, why, there = replies[n-1].at, "a response said close", consumed
		switch {
		case replies[n-1].code != StatusOK, p.reqs[n-1].closes:
			return // not the drain's decision
		case look.After(stopped.Add(DefaultFinalRead / 2)):
			return // perhaps the window's end
		case executed > answered:
			return
		}
	}
	if rejected || look.IsZero() {
		return
	}
	if there < sent && arrived[there].Before(look.Add(-2*tinyRead)) {
		t.Fatalf("%s %v after the stop, though bytes had been there for %v: %d of %d complete requests were answered; %v",
			why, look.Sub(stopped), look.Sub(arrived[there]), answered, len(p.reqs), report)
	}
	if consumed == sent && report.Late != 0 {
		t.Fatalf("late %d, and nothing came that was not answered", report.Late)
	}
}
