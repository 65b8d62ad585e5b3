package main

import (
	"context"
	"net"
	"os"
	"sync"
	"time"

	"github.com/cloudflare/tableflip"
)

func init() {
	stands["tableflip"] = upgraded
	stands["activated"] = activated
	stands["kept-listener"] = func(e *env) error { return kept(e, func(l *lease) net.Listener { return l }) }
	stands["kept-listener-hidden"] = func(e *env) error { return kept(e, func(l *lease) net.Listener { return hidden{l} }) }
	stands["kept-listener-deaf"] = func(e *env) error { return kept(e, func(l *lease) net.Listener { return keeper{l.Listener} }) }
}

// upgraded replaces itself by tableflip: SIGTERM starts the next process, and the
// old one stops when that is ready.
func upgraded(e *env) error {
	upg, err := tableflip.New(tableflip.Options{UpgradeTimeout: longest / 2})
	if err != nil {
		return err
	}
	defer upg.Stop()
	ln, err := upg.Listen("tcp4", e.addr)
	if err != nil {
		return err
	}
	srv := e.server()
	go func() { _ = srv.Serve(e.secure(ln)) }()
	if err := upg.Ready(); err != nil {
		return err
	}
	if upg.HasParent() {
		// Serves until the old process has ended and the test has asked it.
		say(event{Event: "successor", Addr: ln.Addr().String(), Took: time.Duration(os.Getpid())})
		remain()
		return nil
	}
	listening(ln)
	e.await()
	if err := upg.Upgrade(); err != nil {
		return err
	}
	<-upg.Exit()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), e.context)
	defer cancel()
	returned(srv.ShutdownWithContext(ctx), time.Since(begun))
	account(srv)
	return nil
}

// activated gets its listening socket from who started it, as systemd gives it.
func activated(e *env) error {
	ln, err := net.FileListener(os.NewFile(3, "LISTEN_FD_3"))
	if err != nil {
		return err
	}
	return e.serve(e.server(), e.secure(ln))
}

// lease is the listener of one configuration of a process that keeps its socket: its
// Close ends its own Accept, and leaves the socket to the next one.
type lease struct {
	net.Listener
	in   <-chan net.Conn
	gone chan struct{}
	once sync.Once
}

func (l *lease) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.gone:
		return nil, net.ErrClosed
	}
}

func (l *lease) Close() error {
	l.once.Do(func() { close(l.gone) })
	return nil
}

// hidden is one that does not show what it wraps.
type hidden struct{ lease *lease }

func (h hidden) Accept() (net.Conn, error) { return h.lease.Accept() }
func (h hidden) Close() error              { return h.lease.Close() }
func (h hidden) Addr() net.Addr            { return h.lease.Addr() }

// keeper keeps the socket, too, and its Accept does not notice the Close.
type keeper struct{ net.Listener }

func (k keeper) Close() error { return nil }

// kept stops one server, and serves with another on the same socket.
func kept(e *env, wrap func(*lease) net.Listener) error {
	ln, err := e.listen()
	if err != nil {
		return err
	}
	conns := make(chan net.Conn)
	if _, direct := wrap(new(lease)).(keeper); !direct {
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				conns <- c
			}
		}()
	}
	of := func() net.Listener { return wrap(&lease{Listener: ln, in: conns, gone: make(chan struct{})}) }
	srv := e.server()
	go func() { _ = srv.Serve(e.secure(of())) }()
	listening(ln)
	e.shutdown(srv.ShutdownWithContext)
	account(srv)
	next := e.server()
	go func() { _ = next.Serve(e.secure(of())) }()
	say(event{Event: "other", Addr: ln.Addr().String()})
	remain()
	return nil
}
