package fasthttp

import (
	"crypto/tls"
	"net"
	"testing"
)

type (
	ownCloseConn     struct{ *net.TCPConn }
	ownBothConn      struct{ *net.TCPConn }
	closingByPointer struct{ net.TCPConn }
	closingBoth      struct{ ownCloseConn }
	onlyInStructs    struct{ *net.TCPConn }
	deeper           struct {
		base
		*justCloses
	}
	base            struct{ *net.TCPConn }
	justCloses      struct{}
	inACycle        struct{ halfCloser }
	halfClosingOnly struct{ halfCloser }
	twoParents      struct {
		net.Conn
		onlyHalfCloser
	}
	onlyHalfCloser struct{}
	struct1        struct{ onlyInStructs }
)

func (c ownCloseConn) Close() error       { return c.TCPConn.Close() }
func (ownBothConn) Close() error          { return nil }
func (ownBothConn) CloseWrite() error     { return nil }
func (*justCloses) Close() error          { return nil }
func (*onlyInStructs) Close() error       { return nil }
func (*closingByPointer) Close() error    { return nil }
func (*closingBoth) CloseWrite() error    { return nil }
func (halfClosingOnly) CloseWrite() error { return nil }
func (onlyHalfCloser) CloseWrite() error  { return nil }

func TestWhoClosesItself(t *testing.T) {
	cycle := &inACycle{}
	cycle.halfCloser = cycle
	for _, c := range []struct {
		conn net.Conn
		want bool
	}{
		{&net.TCPConn{}, false},
		{&net.UnixConn{}, false},
		{&tls.Conn{}, false},
		{byeConn{}, false},
		{&byeConn{}, false},
		{struct{ *byeConn }{}, false},
		{struct{ *tls.Conn }{}, false},
		{ownCloseConn{}, true},
		{&ownCloseConn{}, true},
		{struct{ ownCloseConn }{}, true},
		{&struct{ ownCloseConn }{}, true},
		{struct{ *ownCloseConn }{}, true},
		{&closingByPointer{}, true},
		{struct{ *closingByPointer }{}, true},
		{ownBothConn{}, false},
		{&ownBothConn{}, false},
		{struct{ *ownBothConn }{}, false},
		{&closingBoth{}, false},
		{flushingCloser{}, true},
		{struct{ halfCloser }{&net.TCPConn{}}, true},
		{struct{ halfCloser }{ownCloseConn{}}, true},
		{struct{ halfCloser }{(*ownBothConn)(nil)}, true},
		{struct{ halfCloser }{}, true},
		{(*struct{ halfCloser })(nil), true},
		{halfClosingOnly{}, false},
		{&struct{ onlyInStructs }{}, true},
		{&struct{ struct1 }{}, true},
		{deeper{}, true},
		{&deeper{}, true},
		{twoParents{}, true},
		{cycle, true},
	} {
		if got := closesItself(c.conn); got != c.want {
			t.Errorf("%T closes itself: %t, want %t", c.conn, got, c.want)
		}
	}
}
