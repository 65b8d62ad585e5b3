package adopt

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// client is one kept-alive connection.
type client struct {
	conn net.Conn
	r    *bufio.Reader
	sent time.Time // when the last request had been written
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, bound)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(2 * bound))
	return &client{conn: conn, r: bufio.NewReader(conn)}
}

// get sends a request and says whether its response says 'Connection: close'.
// An error means that the request was lost.
func (c *client) get() (last bool, err error) {
	_, err = io.WriteString(c.conn, "GET / HTTP/1.1\r\nHost: service\r\n\r\n")
	c.sent = time.Now()
	if err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, err
	}
	if resp.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != "hello" {
		return false, fmt.Errorf("got %s %q, want 200 and hello", resp.Status, body)
	}
	return resp.Close, nil
}

// left waits for the server's FIN. Anything else is an error, RST as well.
func (c *client) left() error {
	b, err := c.r.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return fmt.Errorf("got byte %#x, want FIN", b)
	}
	return err
}
