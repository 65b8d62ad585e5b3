package client

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Scene is what the clients of one stop share.
type Scene struct {
	Addr string
	// Patience bounds a script before the stop, and again from the stop on.
	Patience, After time.Duration
	// Stopped is closed at the stop.
	Stopped <-chan struct{}
	// Runs returns a channel that is closed when the handler of a request runs.
	Runs func(id string) <-chan struct{}
}

// Run runs a script to its end. ready is called once, when it has come to its first
// step that waits for the stop, or to its end.
func (sc Scene) Run(s Script, ready func()) (o Outcome) {
	var once sync.Once
	now := func() { once.Do(ready) }
	defer now()
	o = Outcome{State: s.State, End: Failed}
	over := time.Now().Add(sc.Patience)
	raw, err := net.DialTimeout("tcp4", sc.Addr, sc.Patience)
	if err != nil {
		o.Error = err.Error()
		if errors.Is(err, syscall.ECONNREFUSED) {
			o.End = Refused
		} else if errors.Is(err, syscall.ECONNRESET) {
			o.End = RST
		}
		return o
	}
	defer raw.Close()
	_ = raw.SetDeadline(over)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-sc.Stopped:
			_ = raw.SetDeadline(time.Now().Add(sc.After))
		case <-ended:
		}
	}()
	if s.First != "" {
		if _, err := io.WriteString(raw, s.First); err != nil {
			o.End, o.Error = ending(err), err.Error()
			return o
		}
	}
	conn := raw
	if s.TLS {
		below := raw
		if s.Hello != 0 {
			below = &heldConn{Conn: raw, left: s.Hello, stopped: sc.Stopped, over: over, ready: now}
		}
		tc := tls.Client(below, &tls.Config{InsecureSkipVerify: true, ServerName: ServerName}) //nolint:gosec // of the test's own server
		if err := tc.Handshake(); err != nil {
			o.End, o.Error = ending(err), "handshake: "+err.Error()
			return o
		}
		conn = tc
	}
	r := &reader{conn: conn, got: make(chan struct{}, 1), done: make(chan struct{})}
	go r.run()
	w := writer{scene: sc, raw: raw, conn: conn, reader: r, over: over, ready: now, o: &o}
	left := w.run(s.Steps)
	now()
	if left {
		_ = raw.Close()
	}
	<-r.done
	o.Answers, o.Cut = r.answers, r.cut
	for i, a := range o.Answers {
		// A refusal does not know which request it answers.
		if a.ID == "" && a.Status == http.StatusServiceUnavailable && i < len(o.Sent) {
			o.Answers[i].ID = o.Sent[i]
		}
	}
	if o.End, o.Error = r.end, r.text; left {
		o.End, o.Error, o.Cut = Own, "", false
	}
	return o
}

// heldConn lets the first bytes of a handshake through, and the rest after the stop.
type heldConn struct {
	net.Conn
	left    int
	stopped <-chan struct{}
	over    time.Time
	ready   func()
}

func (c *heldConn) Write(b []byte) (n int, err error) {
	if c.left < 0 {
		defer c.ready()
	}
	if c.left > 0 {
		if n = min(c.left, len(b)); n > 0 {
			if n, err = c.Conn.Write(b[:n]); err != nil {
				return n, err
			}
		}
		if c.left -= n; c.left == 0 {
			c.ready()
			await(c.stopped, c.over)
		}
	}
	m, err := c.Conn.Write(b[n:])
	return n + m, err
}

// reader reads the answers of a connection.
type reader struct {
	conn net.Conn
	got  chan struct{} // has a token when there is something new
	done chan struct{}

	mu      sync.Mutex
	answers []Answer
	cut     bool
	end     string
	text    string
}

func (r *reader) run() {
	defer close(r.done)
	br := bufio.NewReader(r.conn)
	for {
		if _, err := br.Peek(1); err != nil {
			r.finish(err, false)
			return
		}
		res, err := http.ReadResponse(br, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
		}
		if err != nil {
			r.finish(err, true)
			return
		}
		if res.StatusCode == http.StatusSwitchingProtocols {
			r.finish(r.messages(br), false)
			return
		}
		if res.StatusCode < 200 {
			continue
		}
		r.add(Answer{res.Header.Get("X-Id"), res.StatusCode, res.Close, time.Now().UnixNano()})
	}
}

// messages reads what a WebSocket says until it ends: each text is an answer, and is
// its ID.
func (r *reader) messages(br *bufio.Reader) error {
	for {
		var head [2]byte
		if _, err := io.ReadFull(br, head[:]); err != nil {
			return err
		}
		text := make([]byte, head[1]) // not masked, and short (RFC 6455 section 5.2)
		if _, err := io.ReadFull(br, text); err != nil {
			return err
		}
		if head[0] == textFrame {
			r.add(Answer{ID: string(text), Status: http.StatusSwitchingProtocols, At: time.Now().UnixNano()})
		}
	}
}

func (r *reader) add(a Answer) {
	r.mu.Lock()
	r.answers = append(r.answers, a)
	r.mu.Unlock()
	r.token()
}

func (r *reader) finish(err error, cut bool) {
	r.mu.Lock()
	r.end, r.cut = ending(err), cut
	if r.end == Failed {
		r.text = err.Error()
	}
	r.mu.Unlock()
	r.token()
}

func (r *reader) token() {
	select {
	case r.got <- struct{}{}:
	default:
	}
}

// await waits for n answers, and says false if the connection ends before.
func (r *reader) await(n int, over time.Time) bool {
	timer := time.NewTimer(time.Until(over))
	defer timer.Stop()
	for {
		r.mu.Lock()
		have := len(r.answers)
		r.mu.Unlock()
		if have >= n {
			return true
		}
		select {
		case <-r.got:
		case <-r.done:
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(r.answers) >= n
		case <-timer.C:
			return false
		}
	}
}

// writer goes through the steps of a script.
type writer struct {
	scene     Scene
	raw, conn net.Conn
	reader    *reader
	over      time.Time
	ready     func()
	o         *Outcome
}

// run goes through the steps until one fails. It says whether the client has ended
// the connection.
func (w writer) run(steps []Step) (left bool) {
	for _, s := range steps {
		switch s.Op {
		case Send, Trickle:
			if w.write(s) != nil {
				return false
			}
			w.o.Sent = append(w.o.Sent, s.IDs...)
		case Answers:
			if !w.reader.await(s.N, w.over) {
				return false
			}
		case Running:
			if !await(w.scene.Runs(s.IDs[0]), w.over) {
				return false
			}
		case Stop:
			w.ready()
			if !await(w.scene.Stopped, w.over) {
				return false
			}
			w.sleep(s.After)
		case Pause:
			w.sleep(s.After)
		case Half:
			if cw, ok := w.conn.(interface{ CloseWrite() error }); ok {
				_ = cw.CloseWrite()
			}
		case Reset:
			_ = w.raw.(*net.TCPConn).SetLinger(0) //nolint:forcetypeassert // as dialled
			return true
		case Leave:
			return true
		default:
			panic(fmt.Sprintf("no such step: %q", s.Op))
		}
	}
	return false
}

func (w writer) write(s Step) error {
	text := strings.Repeat("x", s.Body) + s.Bytes
	if s.Op == Send {
		_, err := io.WriteString(w.conn, text)
		return err
	}
	for i := range len(text) {
		if _, err := io.WriteString(w.conn, text[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// sleep waits, and notes how much longer it took.
func (w writer) sleep(t time.Duration) {
	due := time.Now().Add(t)
	time.Sleep(t)
	w.o.Lag = max(w.o.Lag, time.Since(due))
}

// await waits for an event until a time.
func await(c <-chan struct{}, over time.Time) bool {
	timer := time.NewTimer(time.Until(over))
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return false
	}
}

// ending is the word for the error that a connection ended with.
func ending(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return RST
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return FIN
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Open
	}
	return Failed
}
