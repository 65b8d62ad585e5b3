package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// client is one connection. Its methods say in words what it saw; a read never
// waits longer than bound.
type client struct {
	r  *rig
	c  net.Conn
	br *bufio.Reader
}

// dial connects a client to the rig's address.
func (r *rig) dial() *client { return r.dialTo(r.addr) }

func (r *rig) dialTo(addr net.Addr) *client {
	c, err := net.DialTimeout(addr.Network(), addr.String(), bound)
	r.check(err)
	return r.client(c)
}

func (r *rig) client(c net.Conn) *client {
	r.mu.Lock()
	r.conns = append(r.conns, c)
	r.mu.Unlock()
	return &client{r, c, bufio.NewReader(c)}
}

// dialIdle connects a client, has a request answered, and waits until the server has
// said that it is idle. It may look once more whether the stop is set before it waits.
func (r *rig) dialIdle() *client { return r.dial().goIdle() }

// dialWaiting is dialIdle for the only connection, and waits until the server is in its
// Read: that it notices the stop itself is ruled out.
func (r *rig) dialWaiting() *client {
	c := r.dialIdle()
	for end := time.Now().Add(bound); !anyGoroutineIn("net.(*conn).Read("); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.giveUp("the server does not read after %v", bound)
		}
	}
	return c
}

// anyGoroutineIn says whether a function, as a stack trace names it, is running.
func anyGoroutineIn(function string) bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte(function))
}

func (c *client) goIdle() *client {
	c.send(get("/before"))
	if seen := c.read(); seen != "200" {
		c.r.giveUp("before the stop a request was answered by %q", seen)
	}
	c.r.await("the connection to be accepted", c.r.accepted, 1)
	c.r.await("the connection to go active", c.r.active, 1)
	c.r.await("the connection to go idle", c.r.idle, 1)
	return c
}

// send writes, and leaves it to the next read to notice that nobody reads.
func (c *client) send(text string) {
	_ = c.c.SetWriteDeadline(time.Now().Add(bound))
	_, _ = io.WriteString(c.c, text)
}

// trickle sends byte by byte, each in a packet of its own.
func (c *client) trickle(text string) {
	for i := range len(text) {
		c.send(text[i : i+1])
	}
}

// get is a request without a body.
func get(path string, headers ...string) string { return message("GET", path, "HTTP/1.1", "", headers) }

// post is a request with one.
func post(path, body string, headers ...string) string {
	return message("POST", path, "HTTP/1.1", body, append(headers, fmt.Sprint("Content-Length: ", len(body))))
}

func message(method, path, version, body string, headers []string) string {
	lines := append([]string{method + " " + path + " " + version, "Host: a"}, headers...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// read reads a response: its status, with ", close" if it says so; or how the
// connection ended.
func (c *client) read() string {
	_ = c.c.SetReadDeadline(time.Now().Add(bound))
	if _, err := c.br.Peek(1); err != nil {
		return ending(err)
	}
	res, err := http.ReadResponse(c.br, nil)
	if err != nil {
		return "a cut response, " + ending(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return "a cut response, " + ending(err)
	}
	if res.Close {
		return fmt.Sprint(res.StatusCode, ", close")
	}
	return fmt.Sprint(res.StatusCode)
}

// ask sends a request and reads the response, and, if that says close, how the
// connection ends.
func (c *client) ask(text string) string {
	c.send(text)
	return c.answer()
}

func (c *client) answer() string {
	seen := c.read()
	if strings.HasSuffix(seen, ", close") {
		seen += ", " + c.read()
	}
	return seen
}

// look waits a moment, as a connection in a pool does, and says whether the
// server has closed it meanwhile.
func (c *client) look() (closed bool) {
	_ = c.c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	_, err := c.br.Peek(1)
	_ = c.c.SetReadDeadline(time.Time{})
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// askIdle is ask on a connection that was idle at the stop.
func (c *client) askIdle(text string) string {
	if c.look() {
		return "closed under the client"
	}
	return c.ask(text)
}

// rest reads to the end and says how the connection ended.
func (c *client) rest() string {
	_ = c.c.SetReadDeadline(time.Now().Add(bound))
	n, err := io.Copy(io.Discard, c.br)
	if err == nil {
		err = io.EOF
	}
	if n > 0 {
		return "more bytes, " + ending(err)
	}
	return ending(err)
}

// ending names how a connection ended.
func ending(err error) string {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "FIN"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "RST"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "nothing"
	}
	return err.Error()
}

// halfClose sends FIN.
func (c *client) halfClose() {
	c.r.check(c.c.(interface{ CloseWrite() error }).CloseWrite())
}

// reset sends RST.
func (c *client) reset() {
	c.r.check(c.c.(*net.TCPConn).SetLinger(0))
	_ = c.c.Close()
}

// secure puts TLS on a connection.
func (c *client) secure() *client {
	tc := tls.Client(c.c, &tls.Config{InsecureSkipVerify: true}) // #nosec G402
	_ = c.c.SetDeadline(time.Now().Add(bound))
	c.r.check(tc.Handshake())
	return &client{c.r, tc, bufio.NewReader(tc)}
}
