package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

const idleAndQueued = "idle at the stop: 200, close, FIN; in the accept queue: 200, close, FIN; Shutdown: nil"

var listenerFaults = []fault{
	{
		Name: "accept-emfile", What: "no file descriptor is left (EMFILE) for what is in the accept queue at the stop, for a while",
		Want: "in the accept queue: 200, close, FIN; Shutdown: nil",
		run: func(r *rig) {
			inner, err := net.Listen("tcp4", "127.0.0.1:0")
			r.check(err)
			counting := &countingListener{Listener: inner}
			ln := r.serveGated(counting, 1)
			r.await("the accept loop", ln.held, 1)
			c := r.dial()
			c.send(get("/queued"))
			counting.release = sync.OnceFunc(exhaustDescriptors(r))
			st := r.beginFor(bound)
			r.awaitServe(nil)
			counting.release() // upstream does not even try
			r.say("in the accept queue: %s", c.answer())
			_ = c.c.Close()
			st.sayEnd()
		},
	},
	{
		Name: "unix-socket", What: "a unix socket", Want: idleAndQueued,
		run: func(r *rig) {
			dir, err := os.MkdirTemp("", "fastdrain")
			r.check(err)
			defer os.RemoveAll(dir)
			ln, err := net.Listen("unix", filepath.Join(dir, "socket"))
			r.check(err)
			r.sayIdleAndQueued(ln)
		},
	},
	{
		Name: "ipv6", What: "an IPv6 listener", Want: idleAndQueued,
		run: func(r *rig) {
			ln, err := net.Listen("tcp6", "[::1]:0")
			r.check(err)
			r.sayIdleAndQueued(ln)
		},
	},
	{
		Name: "dual-stack", What: "a dual-stack listener, reached over IPv4", Want: idleAndQueued,
		run: func(r *rig) {
			ln, err := net.Listen("tcp", "[::]:0")
			r.check(err)
			r.sayIdleAndQueuedAt(ln, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: ln.Addr().(*net.TCPAddr).Port})
		},
	},
	{
		Name: "wrapped-listener", What: "a listener and connections wrapped by the application, without SyscallConn", Want: idleAndQueued,
		More: []string{"TestListenerWrappers", "TestListenerThatCannotBeWoken"},
		run: func(r *rig) {
			ln, err := net.Listen("tcp4", "127.0.0.1:0")
			r.check(err)
			r.sayIdleAndQueued(wrappingListener{ln})
		},
	},
	{
		Name: "shared-listener", What: "a listening socket shared with another server (prefork, socket activation, a new process): one of the two stops",
		Want: "idle at the stop: 200, close, FIN; Shutdown: nil; new clients of the other server: 200, 200, 200",
		run: func(r *rig) {
			ln, err := net.Listen("tcp4", "127.0.0.1:0")
			r.check(err)
			file, err := ln.(*net.TCPListener).File()
			r.check(err)
			shared, err := net.FileListener(file)
			r.check(err)
			_ = file.Close()
			r.serve(ln)
			c := r.dialIdle()
			st := r.stop(bound)
			r.say("idle at the stop: %s", c.askIdle(get("/idle")))
			_ = c.c.Close()
			st.sayEnd()

			r.serve(shared)
			seen := ""
			for i := range 3 {
				if i > 0 {
					seen += ", "
				}
				other, err := net.DialTimeout("tcp4", ln.Addr().String(), bound)
				if err != nil {
					seen += "refused"
					continue
				}
				seen += r.client(other).ask(get("/other"))
			}
			r.say("new clients of the other server: %s", seen)
		},
	},
}

// sayIdleAndQueued says what becomes of a connection that waits at the stop, and
// of one that is in the accept queue.
func (r *rig) sayIdleAndQueued(ln net.Listener) { r.sayIdleAndQueuedAt(ln, ln.Addr()) }

func (r *rig) sayIdleAndQueuedAt(inner net.Listener, addr net.Addr) {
	ln := r.serveGated(inner, 2)
	idle := r.dialTo(addr).goIdle()
	r.await("the accept loop", ln.held, 1)
	queued := r.dialTo(addr)
	queued.send(get("/queued"))
	st := r.stop(bound)
	r.say("idle at the stop: %s", idle.askIdle(get("/idle")))
	r.say("in the accept queue: %s", queued.answer())
	st.sayEnd()
}

// wrappingListener hands out connections that show nothing but net.Conn.
type wrappingListener struct{ net.Listener }

func (l wrappingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wrappedConn{c}, nil
}

type wrappedConn struct{ net.Conn }

// countingListener counts the Accepts that failed for want of a descriptor. After the
// third there are some again: it does that itself, as the time for the queue goes on.
type countingListener struct {
	net.Listener

	failed  atomic.Int32
	release func()
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) && l.failed.Add(1) == 3 {
		l.release()
	}
	return c, err
}

// exhaustDescriptors lowers the limit of open files so that none can be opened,
// and returns what takes that back, on any goroutine.
func exhaustDescriptors(r *rig) (release func()) {
	var old unix.Rlimit
	r.check(unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	next, err := unix.Dup(0) // the lowest that is free
	r.check(err)
	r.check(unix.Close(next))
	r.check(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(next), Max: old.Max}))
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			fail("%v", err)
		}
	}
}
