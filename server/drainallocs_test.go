//go:build !race

package fasthttp

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"
	"unsafe"
)

// A connection's record, its hooks and its place in the table allocate nothing,
// for a connection of one request and for one of many. What is left is what
// upstream allocates itself, as the same test on upstream shows.
func TestDrainAllocatesNothingBeforeTheStop(t *testing.T) {
	for _, test := range []struct {
		name     string
		reduce   bool
		requests int
		want     float64 // of upstream v1.78.0 it is the same, and the byte of each wait
	}{
		{"one request", false, 1, 0},
		{"keep-alive", false, 100, 0},
		{"one request, ReduceMemoryUsage", true, 1, 0},
		{"keep-alive, ReduceMemoryUsage", true, 100, 0},
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
			if n > test.want {
				t.Errorf("%v allocations for a connection, want %v", n, test.want)
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
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
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
