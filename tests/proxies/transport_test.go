//go:build linux

package proxies

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
)

// TestTransportWithBodiesItCannotReplay posts with Go's http.Transport bodies that
// are read once, as those of a proxy or an upload are. The transport sends such a
// request again only if it has not written a byte of it, so what a stop loses is
// an error of the caller.
func TestTransportWithBodiesItCannotReplay(t *testing.T) {
	for _, v := range variants {
		t.Run(v, func(t *testing.T) {
			var posts tally
			restarts := 0
			path := build(t, v)
			for restarts < *restartsFlag || v == lab.Upstream && posts.notOK() == 0 && restarts < mostRestarts {
				postThroughARestart(t, path, &posts)
				restarts++
			}
			t.Logf("%d restarts: %v", restarts, &posts)
			if v == lab.Upstream && posts.notOK() == 0 {
				t.Error("upstream lost nothing: there was no control")
			}
			if v == lab.Patched && posts.notOK() > 0 {
				t.Errorf("%d POSTs were lost", posts.notOK())
			}
		})
	}
}

func postThroughARestart(t *testing.T, path string, posts *tally) {
	t.Helper()
	server := start(t, path)
	transport := &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: bound}
	var mu sync.Mutex
	var joined sync.WaitGroup
	over := make(chan struct{})
	underWay := make(chan struct{})
	enough := posts.requests + 10*clients
	for id := range clients {
		joined.Go(func() {
			for n := 0; ; n++ {
				err := post(client, server.addr(), fmt.Sprintf("c%dr%d", id, n))
				mu.Lock()
				posts.count(err)
				if posts.requests == enough {
					close(underWay)
				}
				mu.Unlock()
				select {
				case <-time.After(rand.N(think)):
				case <-over:
					return
				}
			}
		})
	}
	server.takeOver(func() { <-underWay })
	close(over)
	joined.Wait()
	transport.CloseIdleConnections()
	server.stop()
}

func post(client *http.Client, addr, name string) error {
	// A reader of no type that net/http knows: no GetBody.
	once := struct{ io.Reader }{bytes.NewReader(body)}
	url := fmt.Sprintf("http://%s/?name=%s&sleep=%dus", addr, name, rand.N(handler).Microseconds())
	resp, err := client.Post(url, "application/octet-stream", once)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || string(text) != "hello "+name {
		return fmt.Errorf("%s to %s: %s, %q", http.MethodPost, name, resp.Status, text)
	}
	return nil
}
