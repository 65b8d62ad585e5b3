package fasthttp

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// Whether a response is expected to say 'Connection: close'.
const (
	keepAlive = false
	saysClose = true
)

// drainClient is one client connection. Its methods end the test when the
// server does something else than is wanted.
type drainClient struct {
	t  *testing.T
	c  net.Conn
	br *bufio.Reader
}

func newDrainClient(t *testing.T, c net.Conn) *drainClient {
	return &drainClient{t: t, c: c, br: bufio.NewReader(c)}
}

func (c *drainClient) send(text string) {
	c.t.Helper()
	_ = c.c.SetWriteDeadline(time.Now().Add(drainBound))
	if _, err := io.WriteString(c.c, text); err != nil {
		c.t.Fatalf("cannot send %q: %v", text, err)
	}
}

func drainGet(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n" }

func (c *drainClient) get(path string) {
	c.t.Helper()
	c.send(drainGet(path))
}

// drainReply is a response.
type drainReply struct {
	code int
	shut bool // 'Connection: close'
	body string
}

func (c *drainClient) read() (drainReply, error) {
	_ = c.c.SetReadDeadline(time.Now().Add(drainBound))
	res, err := http.ReadResponse(c.br, nil)
	if err != nil {
		return drainReply{}, err
	}
	body, err := io.ReadAll(res.Body)
	return drainReply{res.StatusCode, res.Close, string(body)}, err
}

// want reads a response with status 200.
func (c *drainClient) want(body string, shut bool) {
	c.t.Helper()
	c.wantReply(drainReply{StatusOK, shut, body})
}

func (c *drainClient) wantReply(want drainReply) {
	c.t.Helper()
	have, err := c.read()
	if err != nil {
		c.t.Fatalf("the request %q got no response: %v", want.body, err)
	}
	if have != want {
		c.t.Fatalf("response %+v, want %+v", have, want)
	}
}

func (c *drainClient) wantCode(code int, shut bool) {
	c.t.Helper()
	have, err := c.read()
	if err != nil {
		c.t.Fatalf("no response: %v", err)
	}
	if have.code != code || have.shut != shut {
		c.t.Fatalf("response %+v, want status %d, close %v", have, code, shut)
	}
}

// wantEOF demands that nothing more comes, and that the connection ends in
// order: not by a reset.
func (c *drainClient) wantEOF() {
	c.t.Helper()
	_ = c.c.SetReadDeadline(time.Now().Add(drainBound))
	rest, err := io.ReadAll(c.br)
	if err != nil {
		c.t.Fatalf("the connection ended by %v, want FIN", err)
	}
	if len(rest) > 0 {
		c.t.Fatalf("the connection sent %q, want FIN", rest)
	}
}

// halfClose sends FIN, after close_notify with TLS.
func (c *drainClient) halfClose() {
	c.t.Helper()
	err := c.c.(interface{ CloseWrite() error }).CloseWrite()
	if tc, ok := c.c.(*tls.Conn); ok {
		err = errors.Join(err, tc.NetConn().(interface{ CloseWrite() error }).CloseWrite())
	}
	if err != nil {
		c.t.Fatalf("cannot half-close: %v", err)
	}
}

// inTime tries again where a client, or the Server itself, was too slow for a limit that
// the Server has for what is tested: a busy machine does that to it. try says how long
// that took, and what went wrong.
func inTime(t *testing.T, limit time.Duration, try func() (took time.Duration, err error)) {
	t.Helper()
	for left := 4; ; left-- {
		took, err := try()
		switch {
		case err == nil:
			return
		case took < limit || left == 0:
			t.Fatalf("%v, after %v, and the limit is %v", err, took, limit)
		}
	}
}

func drainPath(i int) string { return fmt.Sprintf("/%d", i) }
