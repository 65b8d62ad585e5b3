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
	inACycle         struct{ halfCloser }
	halfClosingOnly  struct{ halfCloser }
	twoParents       struct {
		net.Conn
		onlyHalfCloser
	}
	onlyHalfCloser struct{}
)

func (c ownCloseConn) Close() error       { return c.TCPConn.Close() }
func (ownBothConn) Close() error          { return nil }
func (ownBothConn) CloseWrite() error     { return nil }
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
		{struct{ halfCloser }{&net.TCPConn{}}, false},
		{struct{ halfCloser }{ownCloseConn{}}, true},
		{struct{ halfCloser }{(*ownBothConn)(nil)}, false},
		{struct{ halfCloser }{}, true},
		{(*struct{ halfCloser })(nil), true},
		{halfClosingOnly{}, false},
		{twoParents{}, true},
		{cycle, true},
	} {
		if got := closesItself(c.conn); got != c.want {
			t.Errorf("%T closes itself: %t, want %t", c.conn, got, c.want)
		}
	}
}
