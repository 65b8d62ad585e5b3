//go:build linux

package probe

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The environment of a test binary that is a server with a known fault.
const (
	fakeMode    = "FASTDRAIN_PROBE_FAKE"    // which
	fakeAccount = "FASTDRAIN_PROBE_ACCOUNT" // the file that it adds its account to, a line of JSON
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeMode); mode != "" {
		fake(mode, os.Args[len(os.Args)-1])
		return
	}
	os.Exit(m.Run())
}

// The faults. Those of a stop hit one request of each connection: the next one that
// comes when the listener is closed.
const (
	cuts     = "cuts"      // half of the body, then FIN
	cutsHead = "cuts-head" // a response that ends in a header field, then FIN
	cutsEnd  = "cuts-end"  // one that ends in a trailer, then FIN
	babbles  = "babbles"   // what is no HTTP, then FIN
	resets   = "resets"    // no answer, RST
	closes   = "closes"    // no answer, FIN
	fails    = "fails"     // 500, and FIN
	unasked  = "unasked"   // a 408 that answers nothing, on each connection
	ignores  = "ignores"   // SIGTERM
	atOnce   = "at-once"   // it ends without waiting for the handlers: the second of each connection never returns
	holds    = "holds"     // all is well, but for the end, which never comes
	early    = "early"     // FIN instead of each 100th answer, without a stop; the first of the load is the first of them
	dies     = "dies"      // it ends by itself at its second request, the first of the load
	notFound = "404"       // is the answer to all
	leads    = "leads"     // to somewhere else
	mute     = "mute"      // it never listens
	exits    = "exits"     // at the start, with 3
	other    = "other"     // another body from the stop on
	steady   = "steady"    // nothing ever goes wrong
	several  = "several"   // it listens on two ports, on the second from its first request on
	h2       = "h2"        // it speaks HTTP/2 only, without TLS
	failing  = "failing"   // as at-once for the fast, with exit code 3
	raises   = "raises"    // all is well, and then SIGTERM once more, unhandled, is its end
	hasty    = "hasty"     // it answers before it has read the body, and closes
	slowly   = "slowly"    // but for the first of a connection an answer takes a second; its account is there with the signal
	leaver   = "leaver"    // it starts "steady" in a group of its own, and leaves it behind
)

// account is what a server counts itself.
type account struct {
	Executed int64 `json:"executed"`
	Answered int64 `json:"answered"`
	Harmed   int64 `json:"harmed"` // requests that its fault has hit
}

// server is a server with a fault.
type server struct {
	mode    string
	stopped atomic.Bool
	account
	running sync.WaitGroup
	second  net.Listener // of several
	mu      sync.Mutex
	conns   []net.Conn
}

func fake(mode, addr string) {
	switch mode {
	case exits:
		fmt.Fprintln(os.Stderr, "no bread left")
		os.Exit(3)
	case mute:
		time.Sleep(time.Minute)
		return
	case leaver:
		pid := startChild(addr)
		os.WriteFile(os.Getenv(fakeAccount), []byte(strconv.Itoa(pid)), 0o644)
		time.Sleep(time.Minute)
		return
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // which has no filters
	ln, err := plain.Listen(context.Background(), "tcp4", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if mode == steady {
		fmt.Println("listening on", ln.Addr())
	}
	s := &server{mode: mode}
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			s.running.Go(func() { s.serve(conn) })
		}
	}()
	for <-term; mode == ignores; <-term {
	}
	if mode == atOnce || mode == slowly {
		s.save()
	}
	if mode == atOnce {
		os.Exit(0)
	}
	emptyQueue(ln.(*net.TCPListener))
	ln.Close()
	<-accepting
	if mode == unasked { // before any response says close
		s.mu.Lock()
		for _, conn := range s.conns {
			fmt.Fprint(conn, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}
		s.mu.Unlock()
	}
	s.stopped.Store(true)
	if mode == holds {
		select {}
	}
	// Connections that nobody uses any more are no reason to stay. With a stop each request
	// is the last of its connection, so pools are empty long before.
	gone := make(chan struct{})
	go func() {
		s.running.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
	}
	s.save()
	switch mode {
	case failing:
		os.Exit(3)
	case raises:
		signal.Reset(syscall.SIGTERM)
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {}
	}
}

// emptyQueue lets nobody connect any more, and waits until all who are connected have
// been accepted: the close of the listener would be a reset to them, of which the server
// does not know. Who tries to connect meanwhile is refused when the listener is closed.
func emptyQueue(ln *net.TCPListener) {
	raw, err := ln.SyscallConn()
	if err != nil {
		panic(err)
	}
	control := func(do func(fd int) error) {
		var err error
		if failed := raw.Control(func(fd uintptr) { err = do(int(fd)) }); failed != nil || err != nil {
			panic(errors.Join(failed, err))
		}
	}
	control(func(fd int) error { // no packet gets through this filter
		return syscall.AttachLsf(fd, []syscall.SockFilter{*syscall.LsfStmt(syscall.BPF_RET|syscall.BPF_K, 0)})
	})
	for queued := true; queued; time.Sleep(time.Millisecond) {
		control(func(fd int) error {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
			queued = n > 0 || err == unix.EINTR
			if queued {
				return nil
			}
			return err
		})
	}
}

func (s *server) save() {
	path := os.Getenv(fakeAccount)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	text, err := json.Marshal(account{
		atomic.LoadInt64(&s.Executed), atomic.LoadInt64(&s.Answered), atomic.LoadInt64(&s.Harmed),
	})
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(f, "%s\n", text)
}

func (s *server) serve(conn net.Conn) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	if s.mode == h2 {
		conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // an empty SETTINGS
		br.ReadByte()
		return
	}
	for own := 1; ; own++ {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		n := atomic.AddInt64(&s.Executed, 1)
		if s.mode == several && n == 1 {
			if s.second, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
				panic(err)
			}
		}
		if s.mode == atOnce && own > 1 {
			select {}
		}
		if s.mode == slowly && own > 1 {
			time.Sleep(time.Second)
		}
		if s.mode == dies && n == 2 {
			fmt.Fprintln(os.Stderr, "tired of it")
			os.Exit(7)
		}
		stopped := s.stopped.Load()
		if stopped || s.mode == early && n%100 == 2 {
			if s.harm(conn) {
				atomic.AddInt64(&s.Harmed, 1)
				return
			}
		}
		status, more := "200 OK", ""
		switch s.mode {
		case notFound:
			status = "404 Not Found"
		case leads:
			status, more = "301 Moved Permanently", "Location: /elsewhere\r\n"
		}
		if s.mode != hasty {
			io.Copy(io.Discard, req.Body)
		}
		closing := stopped || req.Close || s.mode == hasty
		if closing {
			more += "Connection: close\r\n"
		}
		body := "hello"
		if s.mode == other && stopped {
			body = "good night"
			atomic.AddInt64(&s.Harmed, 1)
		}
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s", status, more, len(body), body); err != nil {
			return
		}
		atomic.AddInt64(&s.Answered, 1)
		if closing {
			return
		}
	}
}

// harm does to a request what the server is known for, and reports whether it does
// anything.
func (s *server) harm(conn net.Conn) bool {
	switch s.mode {
	case cuts:
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
	case cutsHead:
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Le")
	case cutsEnd:
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n5\r\nhello\r\n0\r\nT: y")
	case babbles:
		fmt.Fprint(conn, "what?")
	case resets:
		conn.(*net.TCPConn).SetLinger(0)
	case fails:
		fmt.Fprint(conn, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	case closes, early:
	default:
		return false
	}
	return true
}
