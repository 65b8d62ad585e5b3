//go:build linux

package proxies

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	think   = 20 * time.Millisecond // at most, between a response and the next request
	handler = 3 * time.Millisecond  // at most
)

// body is what a POST brings.
var body = bytes.Repeat([]byte("x"), 512)

// tally is what clients have seen of the requests of one method.
type tally struct {
	requests, ok int
	bad          map[string]int // what was not a 200 with the right body, by its kind
}

func (a *tally) notOK() int { return a.requests - a.ok }

func (a *tally) count(err error) {
	a.requests++
	if err == nil {
		a.ok++
		return
	}
	if a.bad == nil {
		a.bad = map[string]int{}
	}
	a.bad[symptom(err)]++
}

func (a *tally) String() string {
	s := fmt.Sprintf("%d of %d not 200", a.notOK(), a.requests)
	for _, what := range slices.Sorted(maps.Keys(a.bad)) {
		s += fmt.Sprintf(", %d x %s", a.bad[what], what)
	}
	return s
}

// load is the outside: clients in a closed loop, each with a connection of its
// own to the proxy. They repeat nothing, and http.Client would.
type load struct {
	socket string
	over   context.Context
	end    context.CancelFunc
	joined sync.WaitGroup

	mu      sync.Mutex
	grown   sync.Cond
	total   int
	methods map[string]*tally
	slowest time.Duration // that a request took, answered or not
}

// startLoad starts clients of a Unix socket. Half of them GET, the others POST.
func startLoad(t *testing.T, socket string, clients int) *load {
	l := &load{socket: socket, methods: map[string]*tally{}}
	l.grown.L = &l.mu
	l.over, l.end = context.WithCancel(t.Context())
	for id := range clients {
		method := http.MethodGet
		if id%2 == 1 {
			method = http.MethodPost
		}
		if l.methods[method] == nil {
			l.methods[method] = &tally{}
		}
		l.joined.Go(func() { l.client(id, method) })
	}
	t.Cleanup(l.stop)
	return l
}

// await waits until the clients have seen the ends of n more requests.
func (l *load) await(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for until := l.total + n; l.total < until && l.over.Err() == nil; {
		l.grown.Wait()
	}
}

// notOK is how many requests of a method were not answered well so far.
func (l *load) notOK(method string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.methods[method].notOK()
}

// stop lets the clients end their requests, and waits for that.
func (l *load) stop() {
	l.end()
	l.joined.Wait()
}

func (l *load) client(id int, method string) {
	var conn net.Conn
	var in *bufio.Reader
	drop := func() {
		if conn != nil {
			conn.Close()
			conn = nil
		}
	}
	defer drop()
	for n := 0; l.over.Err() == nil; n++ {
		name := fmt.Sprintf("c%dr%d", id, n)
		begun := time.Now()
		keep, err := func() (bool, error) {
			if conn == nil {
				c, err := net.Dial("unix", l.socket)
				if err != nil {
					return false, err
				}
				conn, in = c, bufio.NewReader(c)
			}
			conn.SetDeadline(time.Now().Add(bound))
			return exchange(conn, in, method, name)
		}()
		if !keep {
			drop()
		}
		l.count(method, err, time.Since(begun))
		select {
		case <-time.After(rand.N(think)):
		case <-l.over.Done():
		}
	}
}

// exchange sends one request and reads its response. It is an error if that is
// not a 200 with the body that belongs to the request.
func exchange(conn net.Conn, in *bufio.Reader, method, name string) (keep bool, err error) {
	req, err := http.NewRequest(method, fmt.Sprintf("http://service/?name=%s&sleep=%dus", name, rand.N(handler).Microseconds()), nil)
	if err != nil {
		return false, err
	}
	if method == http.MethodPost {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	if err := req.Write(conn); err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(in, req)
	if err != nil {
		return false, err
	}
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return false, err
	case resp.StatusCode != http.StatusOK:
		return !resp.Close, errors.New(resp.Status)
	case string(text) != "hello "+name:
		return !resp.Close, errors.New("the body of another response")
	}
	return !resp.Close, nil
}

func (l *load) count(method string, err error, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.grown.Broadcast()
	l.total++
	l.slowest = max(l.slowest, took)
	l.methods[method].count(err)
}

// symptom names an error without what is different each time.
func symptom(err error) string {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed without a response"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	}
	// net/http says which request it was, and net which address.
	for deeper := errors.Unwrap(err); deeper != nil; deeper = errors.Unwrap(err) {
		err = deeper
	}
	return strings.TrimSpace(err.Error())
}
