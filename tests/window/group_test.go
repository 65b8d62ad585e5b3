//go:build linux

package window

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
)

// patience bounds a request. It is far above what any needs.
const patience = 20 * time.Second

// pause is what a client does between two requests.
func pause() time.Duration {
	const least, most = 200 * time.Millisecond, 1500 * time.Millisecond
	return least + rand.N(most-least)
}

// body is what a POST brings.
var body = bytes.Repeat([]byte("x"), 512)

// errRefused is the end of a request for which no connection could be opened.
var errRefused = errors.New("connection refused")

// group is clients that post, each in a closed loop with pauses.
type group struct {
	site lab.Site

	mu     sync.Mutex
	counts lab.Counts
	left   int   // clients that have no answer yet
	early  error // what went wrong before the stop
}

// work lets n clients make requests until ctx ends. All begin at once, so that a
// pool has as many connections as clients. do makes the request of a name, and its
// error is errRefused, or what the loss looks like.
func (g *group) work(ctx context.Context, n int, do func(name string) error) (lab.Counts, error) {
	g.left = n
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var joined sync.WaitGroup
	for id := range n {
		joined.Go(func() {
			for r := 0; ctx.Err() == nil; r++ {
				if !g.count(r == 0, do(fmt.Sprintf("c%dr%d", id, r))) {
					giveUp()
				}
				select {
				case <-time.After(pause()):
				case <-ctx.Done():
				}
			}
		})
	}
	joined.Wait()
	return g.counts, g.early
}

// count counts the end of a request, and reports whether to go on.
func (g *group) count(first bool, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &g.counts
	switch {
	case err == nil:
		c.Requests++
		c.Answered++
		if first {
			if g.left--; g.left == 0 {
				g.site.UnderWay()
			}
		}
	case errors.Is(err, errRefused):
		c.Refused++
	default:
		c.Requests++
		c.Lost++
		if c.Losses == nil {
			c.Losses = map[string]int{}
		}
		c.Losses[err.Error()]++
	}
	if err != nil {
		select {
		case <-g.site.Stopping:
		default:
			g.early = fmt.Errorf("before the stop: %w", err)
			return false
		}
	}
	return true
}

// connected counts a connection.
func (g *group) connected() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts.Connections++
}

// post posts to a service, and returns what is not the answer that it gives.
// net/http does not send a POST again of which it has written anything.
func post(client *http.Client, addr, name string) (*http.Response, error) {
	url := fmt.Sprintf("http://%s/?name=%s&sleep=%dus", addr, name, rand.N(3000))
	resp, err := client.Post(url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return resp, errors.New(resp.Status)
	case string(text) != "hello "+name:
		return nil, errors.New("the body of another response")
	}
	return resp, nil
}

// innermost is an error without what is different each time: net/http says which
// request it was, and net which address.
func innermost(err error) error {
	for deeper := errors.Unwrap(err); deeper != nil; deeper = errors.Unwrap(err) {
		err = deeper
	}
	return err
}
