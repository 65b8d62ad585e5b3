package wrk

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/tool"
)

func TestLoadIsWhatTheServerSees(t *testing.T) {
	path, err := tool.Find(t.Context(), "wrk", t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	var wrong atomic.Pointer[string]
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n.Add(1)
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || len(body) != 100 || r.Header.Get("X-Some") != `a "quoted" value` {
			s := r.Method + " " + r.Header.Get("X-Some")
			wrong.Store(&s)
		}
	}))
	defer srv.Close()
	for _, batch := range []int{1, 4} {
		n.Store(0)
		begun := time.Now()
		r, err := Run(t.Context(), []string{path}, Load{
			Connections: 2, Batch: batch, Body: 100, Headers: []string{`X-Some: a "quoted" value`}, URL: srv.URL, Duration: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		if s := wrong.Load(); s != nil {
			t.Errorf("the server saw %q, want a POST of 100 bytes with the header", *s)
		}
		if end := r.Ended(); end.Before(begun.Add(r.Duration()).Truncate(time.Microsecond)) || end.After(time.Now()) {
			t.Errorf("it ended at %v, was begun at %v and took %v", end, begun, r.Duration())
		}
		latencies := r.P50 > 0 && r.P99 >= r.P50 && r.Top >= r.P99
		if r.Requests == 0 || int64(r.Requests) > n.Load() || latencies != (batch == 1) {
			t.Errorf("batches of %d: %+v, and the server saw %d requests: this does not fit together", batch, r, n.Load())
		}
	}
}

func TestErrorsOfClientsAreErrors(t *testing.T) {
	path, err := tool.Find(t.Context(), "wrk", t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	if r, err := Run(t.Context(), []string{path}, Load{Connections: 1, URL: srv.URL, Duration: time.Second}); err == nil {
		t.Errorf("a server that answers 404 is measured: %+v", r)
	}
}
