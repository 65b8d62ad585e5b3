package metrics_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

func TestAcceptQueueOfEachListener(t *testing.T) {
	s := startServer(t)
	full := &fasthttp.Server{Handler: func(*fasthttp.RequestCtx) {}}
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := &holdListener{Listener: inner, accepting: make(chan struct{}), hold: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- full.Serve(ln) }()
	t.Cleanup(func() {
		ln.release()
		inner.Close()
		await(t, "the end of Serve", served)
	})
	await(t, "the first Accept", ln.accepting)

	stats := full.ListenerStats()
	if len(stats) != 1 || !stats[0].Known {
		t.Skipf("the kernel does not show the accept queue here: %+v", stats)
	}
	const queued = 3
	for range queued {
		c, err := net.Dial("tcp4", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	// A client may know of its connection before the kernel has it in the queue.
	for end := time.Now().Add(bound); full.ListenerStats()[0].Queue < queued; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections in the accept queue, want %d", full.ListenerStats()[0].Queue, queued)
		}
	}
	addr := inner.Addr().String()
	have := gather(t, pedantic(t, metrics.NewCollector(metrics.Servers{"full": full, "empty": s.Server})))
	have.want(t, series{
		key("fasthttp_server_accept_queue_connections", "full", addr):       queued,
		key("fasthttp_server_accept_queue_connections", "empty", s.addr):    0,
		key("fasthttp_server_accept_queue_limit_connections", "full", addr): float64(stats[0].Backlog),
	})
	if limit := have[key("fasthttp_server_accept_queue_limit_connections", "full", addr)]; limit < 1 {
		t.Errorf("the limit of the accept queue is %v", limit)
	}
}

// holdListener accepts nothing until it is released.
type holdListener struct {
	net.Listener
	accepting chan struct{}
	hold      chan struct{}
	once      sync.Once
	free      sync.Once
}

func (l *holdListener) release() { l.free.Do(func() { close(l.hold) }) }

func (l *holdListener) Accept() (net.Conn, error) {
	l.once.Do(func() { close(l.accepting) })
	<-l.hold
	return l.Listener.Accept()
}
