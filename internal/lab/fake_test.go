//go:build unix

package lab

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
)

// fakeMode is the environment variable that makes the test binary a server with
// a known fault, so that the lab's judgement can be tested on a real process.
const fakeMode = "FASTDRAIN_LAB_FAKE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeMode); mode != "" {
		fake(mode)
		return
	}
	os.Exit(m.Run())
}

// fakeServer returns the command that starts a server with the fault.
func fakeServer(t *testing.T, mode string) process.Command {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The race detector would wait for a second at the exit of the process.
	return process.Command{Path: exe, Env: []string{fakeMode + "=" + mode, "GORACE=atexit_sleep_ms=0"}}
}

// The modes of the fake server. But for what is said here it answers all.
const (
	polite     = "polite"     // after SIGTERM the next response of each connection says close
	swallow    = "swallow"    // after SIGTERM it executes a request per connection without an answer
	quick      = "quick"      // exits at SIGTERM, as soon as it has read a request of each client
	unaccepted = "unaccepted" // closes the listener with a connection in its queue
	early      = "early"      // cuts a connection at its fifth request, without any SIGTERM; the others wait for the first cut
	timeouts   = "timeouts"   // sends a 408 on each connection at SIGTERM
	wrong      = "wrong"      // answers with the body of another request
	stuck      = "stuck"      // does not care about SIGTERM
	failing    = "failing"    // as polite, then exits with 3
	hushed     = "hushed"     // as polite, without the last line
	dead       = "dead"       // exits before it listens
)

func fake(mode string) {
	if mode == dead {
		fmt.Fprintln(os.Stderr, "no bread left")
		os.Exit(2)
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	f := &fakeState{mode: mode, cut: make(chan struct{}), busy: make(chan struct{})}
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, conn)
			n := len(f.conns)
			f.mu.Unlock()
			if n == fewClients+1 {
				close(f.cut) // a client has come back
			}
			f.running.Go(func() { f.serve(n, conn) })
			if mode == unaccepted && f.stop.Load() {
				return
			}
		}
	}()
	fmt.Println("listening on", ln.Addr())
	<-term
	if mode == stuck {
		select {}
	}
	switch mode {
	case quick:
		<-f.busy
	case unaccepted:
		f.stop.Store(true)
		<-accepting     // it took one connection after the stop; now
		awaitQueued(ln) // another one waits
		ln.Close()      // and is reset
	default:
		// In this order: who is cut finds nobody to connect to again.
		ln.Close()
		<-accepting
		f.stop.Store(true)
		if mode == timeouts {
			f.mu.Lock()
			for _, conn := range f.conns {
				fmt.Fprint(conn, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				conn.Close()
			}
			f.mu.Unlock()
		}
		f.running.Wait()
	}
	if mode != hushed {
		fmt.Printf("served %d requests\n", f.executed.Load())
	}
	if mode == failing {
		os.Exit(3)
	}
}

type fakeState struct {
	mode     string
	stop     atomic.Bool
	executed atomic.Int64
	cut      chan struct{} // closed with the first connection beyond one for each client
	busy     chan struct{} // closed with as many requests as there are clients
	running  sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
}

func (f *fakeState) serve(number int, conn net.Conn) {
	defer conn.Close()
	if f.mode == early && number > 1 {
		<-f.cut
	}
	br := bufio.NewReader(conn)
	for n := 1; ; n++ {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if f.executed.Add(1) == fewClients {
			close(f.busy)
		}
		if sleep, err := time.ParseDuration(req.URL.Query().Get("sleep")); err == nil {
			time.Sleep(sleep)
		}
		stop := f.stop.Load()
		if f.mode == swallow && stop || f.mode == early && n == 5 {
			return
		}
		body := "hello " + req.URL.Query().Get("name")
		if f.mode == wrong {
			body = "hello you"
		}
		closing := ""
		if stop && br.Buffered() == 0 || req.Close {
			closing = "Connection: close\r\n"
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", closing, len(body), body)
		if closing != "" {
			return
		}
	}
}
