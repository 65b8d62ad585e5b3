package fasthttp

import (
	"crypto/tls"
	"slices"
	"testing"
)

// The descriptors of the connections are those of their sockets, also under TLS and
// under upstream's own wrapper, and of those alone that are open.
func TestDescriptorsOfTheConnections(t *testing.T) {
	eachDrainKind(t, "tcp tls", func(t *testing.T, k drainKind) {
		r := startDrainRig(t, k, &Server{MaxConnsPerIP: 100})
		gone := r.dialIdle()
		for range 3 {
			r.dialIdle()
		}
		if c, ok := gone.c.(*tls.Conn); ok {
			_ = c.NetConn().Close()
		} else {
			_ = gone.c.Close()
		}
		r.awaitTrue("a connection has closed", func() bool { return r.s.connTable().open() == 3 })
		var want, have []int
		r.s.connTable().each(func(dc *drainConn) {
			sock, _ := stream(dc.Conn)
			raw, err := sock.SyscallConn()
			if err != nil {
				t.Error(err)
				return
			}
			if err := raw.Control(func(fd uintptr) { want = append(want, int(fd)) }); err != nil {
				t.Error(err)
			}
		})
		r.s.descriptors(func(fd int) { have = append(have, fd) })
		if len(have) != 3 || !slices.Equal(have, want) {
			t.Errorf("descriptors %v, want three: %v", have, want)
		}
	})
	t.Run("in memory", func(t *testing.T) {
		r := startDrainRig(t, drainKind{net: "memory"}, &Server{})
		r.dial()
		r.awaitTrue("a connection is there", func() bool { return r.s.connTable().open() == 1 })
		r.s.descriptors(func(fd int) { t.Errorf("descriptor %d of a pipe", fd) })
	})
}
