//go:build !race

package fasthttp

import (
	"io"
	"runtime"
	"testing"
	"time"
	"unsafe"
)

// A connection's record, its hooks and its place in the table allocate nothing,
// for a connection of one request and for one of many. Upstream allocates the byte
// of each wait with ReduceMemoryUsage: 2 and 101 times here (v1.78.0).
func TestDrainAllocatesNothingBeforeTheStop(t *testing.T) {
	for _, test := range []struct {
		name     string
		reduce   bool
		requests int
	}{
		{"one request", false, 1},
		{"keep-alive", false, 100},
		{"one request, ReduceMemoryUsage", true, 1},
		{"keep-alive, ReduceMemoryUsage", true, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{
				Handler:           func(ctx *RequestCtx) { ctx.SetStatusCode(StatusNoContent) },
				ReduceMemoryUsage: test.reduce,
				Logger:            silentDrainLog{},
			}
			c := &scriptedConn{request: []byte(drainGet("/"))}
			n := testing.AllocsPerRun(200, func() {
				c.left, c.at = test.requests, 0
				if err := s.ServeConn(c); err != nil {
					t.Fatal(err)
				}
			})
			if n > 0 {
				t.Errorf("%v allocations for a connection", n)
			}
		})
	}
}

// A record fits the runtime's size class of 112 bytes; the next has 128.
func TestRecordFitsItsSizeClass(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the record is laid out for 64 bits")
	}
	if size := unsafe.Sizeof(drainConn{}); size > 112 {
		t.Errorf("a record has %d bytes", size)
	}
}

// A stop looks at each connection and discards what it still gets, thousands at a time:
// neither allocates more than the net package does to say where a descriptor is.
func TestLookAllocatesNothing(t *testing.T) {
	if !canPeek {
		t.Skip("there is no look here")
	}
	client, c := tcpPair(t)
	most := 1.0
	if runtime.GOOS != "linux" {
		most = 2 // for a sender's address
	}
	sock, _ := stream(c)
	if n := testing.AllocsPerRun(100, func() {
		if received(sock) || requestReceived(sock) {
			t.Fatal("something was received")
		}
	}); n > 2*most {
		t.Errorf("%v allocations for two looks, want %v at most", n, 2*most)
	}
	_ = client.Close()
	end := time.Now().Add(drainBound)
	if _, err := discard(c, lingerBytes, end); err != io.EOF {
		t.Fatalf("discarded up to %v, want the client's FIN", err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = discard(c, lingerBytes, end) }); n > 1 {
		t.Errorf("%v allocations to discard, want 1 at most", n)
	}
}
