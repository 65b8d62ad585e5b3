package link

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Link is a link between two network namespaces.
type Link struct {
	Server, Client *Namespace

	refusals atomic.Int64
	copiers  sync.WaitGroup
}

// Open makes two namespaces and a link on which each packet takes oneWay, in
// either direction. The test's end takes it down. It fails the test if it is not
// run as root.
func Open(t testing.TB, oneWay time.Duration) *Link {
	t.Helper()
	l := &Link{}
	fail := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal("cannot make the link: ", err)
		}
	}
	var err error
	l.Server, err = newNamespace("10.77.0.1", "fd77::1")
	fail(err)
	t.Cleanup(func() { l.Server.ns.Close() })
	l.Client, err = newNamespace("10.77.0.2", "fd77::2")
	fail(err)
	t.Cleanup(func() { l.Client.ns.Close() })

	server, err := l.Server.openTUN()
	fail(err)
	client, err := l.Client.openTUN()
	if err != nil {
		server.Close()
	}
	fail(err)
	l.copy(server, client, oneWay, func(p []byte) {
		if refuses(p) {
			l.refusals.Add(1)
		}
	})
	l.copy(client, server, oneWay, func([]byte) {})
	t.Cleanup(func() {
		server.Close()
		client.Close()
		l.copiers.Wait()
	})
	return l
}

// Refusals counts the SYNs that the server's namespace has answered with RST. A
// client that has sent one twice, as the answer was long in coming, gets two.
func (l *Link) Refusals() int { return int(l.refusals.Load()) }

// packet is a packet on its way.
type packet struct {
	due  time.Time
	data []byte
}

// copy takes packets from one device to the other, each after its delay, until
// one of them is closed, and shows them to seen.
func (l *Link) copy(from, to *os.File, delay time.Duration, seen func([]byte)) {
	// A full channel drops nothing: the packets wait in the device.
	way := make(chan packet, 1<<14)
	l.copiers.Go(func() {
		defer close(way)
		for {
			buf := make([]byte, mtu)
			n, err := from.Read(buf)
			if errors.Is(err, os.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			seen(buf[:n])
			way <- packet{time.Now().Add(delay), buf[:n]}
		}
	})
	l.copiers.Go(func() {
		for p := range way {
			time.Sleep(time.Until(p.due))
			_, _ = to.Write(p.data) // a device that is full or closed drops it
		}
	})
}
