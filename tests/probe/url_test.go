//go:build linux

package probe

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/probe"
	"github.com/fastdrain/fastdrain/internal/process"
)

var steadyFlag = flag.Int("steady", 5000, "send so many requests to a server that never stops")

// urlOptions are options for a URL.
func urlOptions() probe.Options {
	o := options()
	o.Signal, o.For = nil, time.Second
	return o
}

// steadyServer starts a server that never stops, as a process of its own.
func steadyServer(t *testing.T) (url string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(t.Context(), process.Command{Path: exe, Env: []string{fakeMode + "=" + steady}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return "http://" + p.Addr + "/"
}

// TestItsOwnLossIsZero: where nothing stops, nothing may be lost, whatever the clients do.
func TestItsOwnLossIsZero(t *testing.T) {
	t.Parallel()
	url := steadyServer(t)
	o := urlOptions()
	o.Profile = probe.Profile{
		Kinds: []probe.Kind{probe.Busy, probe.Pool, probe.New, probe.Pipeline}, Connections: 200, Rate: 20000,
	}
	if *steadyFlag < 10000 {
		o.Profile.Rate = 2500 // beside other tests
	}
	answered, again := 0, 0
	for answered < *steadyFlag {
		o.For = time.Minute
		// One that is long enough on a machine that does nothing else.
		o.For = min(o.For, max(time.Second, time.Duration(*steadyFlag-answered)*time.Second/15000))
		r := mustRunFor(t, url, o)
		// A machine that stands still at the end of the load keeps back what is under way.
		if r.Unfinished != 0 && r.Lost == 0 && again < 2 {
			again++
			continue
		}
		if r.Lost != 0 || r.Refused != 0 || r.Failed != 0 || r.Unasked != 0 || r.Unfinished != 0 {
			t.Fatalf("of %d: %d lost, %d refused, %d failed, %d unasked, %d unfinished", r.Requests, r.Lost, r.Refused, r.Failed, r.Unasked, r.Unfinished)
		}
		if r.Answered != r.Requests {
			t.Fatalf("%d requests, %d answered", r.Requests, r.Answered)
		}
		answered += r.Answered
	}
	t.Logf("%d requests, 0 lost", answered)
}

func mustRunFor(t *testing.T, url string, o probe.Options) *probe.Result {
	t.Helper()
	return mustRun(t, probe.Subject{URL: url}, o)
}

// TestTLS probes servers that speak TLS: with their CA, without it, with HTTP/2 beside
// HTTP/1.1, and with HTTP/2 only.
func TestTLS(t *testing.T) {
	t.Parallel()
	both := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
	both.EnableHTTP2 = true
	both.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of each handshake that the end of the load cuts
	both.StartTLS()
	t.Cleanup(both.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: both.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o644); err != nil {
		t.Fatal(err)
	}
	only, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: both.TLS.Certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { only.Close() })
	go func() {
		for {
			conn, err := only.Accept()
			if err != nil {
				return
			}
			conn.(*tls.Conn).Handshake()
			conn.Close()
		}
	}()

	o := urlOptions()
	o.TLS.CAFile = ca
	o.Expect = "hello"
	r := mustRunFor(t, both.URL, o)
	if r.Lost != 0 || r.Unasked != 0 || r.Answered == 0 {
		t.Errorf("%d answered, %d lost, %d unasked", r.Answered, r.Lost, r.Unasked)
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "HTTP/2 as well") {
		t.Errorf("the notes are %q", r.Notes)
	}
	for _, c := range []struct {
		url, want string
		tls       probe.TLS
	}{
		{both.URL, "-insecure any", probe.TLS{}},
		{"https://" + only.Addr().String(), "speaks HTTP/2 only", probe.TLS{Insecure: true}},
		{strings.Replace(steadyServer(t), "http", "https", 1), "no TLS: does it speak that there?", probe.TLS{}},
		{strings.Replace(both.URL, "https", "http", 1), "speaks TLS there: give a URL that begins with https", probe.TLS{}},
	} {
		o := urlOptions()
		o.TLS = c.tls
		if _, err := run(t, probe.Subject{URL: c.url}, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, and not one with %q", c.url, err, c.want)
		}
	}
}

// firstFigures ends a context when the probe has written its first figures, of which
// the very first may be none on a busy machine.
type firstFigures struct{ end context.CancelCauseFunc }

func (f firstFigures) Write(b []byte) (int, error) {
	if text := string(b); strings.Contains(text, "of load: ") && !strings.Contains(text, " 0 answered") {
		f.end(errInterrupted)
	}
	return len(b), nil
}

var errInterrupted = errors.New("interrupted")

// TestAnInterruptedProbeSaysWhatItSaw ends the context in the middle.
func TestAnInterruptedProbeSaysWhatItSaw(t *testing.T) {
	t.Parallel()
	service, _ := fakeServer(t, holds)
	for _, c := range []struct {
		subject probe.Subject
		options probe.Options
	}{
		{service, options()}, // before the signal, or while the service does not end
		{probe.Subject{URL: steadyServer(t)}, urlOptions()},
	} {
		c.options.Subjects = []probe.Subject{c.subject}
		if c.options.For > 0 {
			c.options.For = time.Hour
		}
		c.options.Grace = time.Hour
		ctx, cancel := context.WithCancelCause(t.Context())
		c.options.Progress = firstFigures{cancel}
		results, err := probe.Run(ctx, c.options)
		cancel(nil)
		if !errors.Is(err, errInterrupted) {
			t.Errorf("%s: the error is %v", c.subject.Name(), err)
		}
		if len(results) != 1 || results[0].Answered == 0 || len(results[0].Timeline) == 0 {
			t.Errorf("%s: it does not say what it saw", c.subject.Name())
		} else if r := results[0]; r.Mode == probe.ModeSignal && says(r, probe.AllAnswered) {
			t.Errorf("%s: it says that a stop went well that was not seen to its end", c.subject.Name())
		}
	}
}

// TestTwoURLsSideBySide compares a good one with one that loses requests all the time.
func TestTwoURLsSideBySide(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.Close && n.Add(1)%10 == 0 {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "hello")
	}))
	t.Cleanup(bad.Close)
	o := urlOptions()
	o.Subjects = []probe.Subject{{URL: steadyServer(t)}, {URL: bad.URL}}
	var results []*probe.Result
	for try := 0; try < 3 && (try == 0 || results[1].Lost == 0); try++ {
		// A second may be too short for ten requests, if the machine stands still.
		var err error
		if results, err = probe.Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if results[0].Lost != 0 || results[1].Lost == 0 {
		t.Errorf("%d and %d lost", results[0].Lost, results[1].Lost)
	}
	var b strings.Builder
	probe.Write(&b, results, false)
	for _, r := range results {
		if !strings.Contains(b.String(), "| "+r.Name) {
			t.Errorf("there is no column for %s:\n%s", r.Name, b.String())
		}
	}
	if !says(results[0], probe.AllAnswered) || !says(results[1], probe.Kept) {
		t.Errorf("the diagnoses are:\n%s", b.String())
	}
}

// TestAnInterruptionIsNoLoss ends the context while a service stops: what is under way
// is still answered, and nobody may end the service before.
func TestAnInterruptionIsNoLoss(t *testing.T) {
	t.Parallel()
	s, accounts := fakeServer(t, slowly)
	o := options()
	o.Profile, o.Subjects = kept, []probe.Subject{s}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(accounts); err == nil { // it has got the signal
				cancel(errInterrupted)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	results, err := probe.Run(ctx, o)
	if !errors.Is(err, errInterrupted) || len(results) != 1 {
		t.Fatalf("%d results, and the error is %v", len(results), err)
	}
	// What takes longer than the probe waits for it is unfinished.
	if r := results[0]; r.Lost != 0 || r.UnderWay+r.Unfinished == 0 {
		t.Errorf("%d lost of %d that were under way, %d unfinished", r.Lost, r.UnderWay, r.Unfinished)
	}
}

// TestAnInterruptionBeforeTheLoad ends the context while the first request waits.
func TestAnInterruptionBeforeTheLoad(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	mute := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel(errInterrupted)
		<-r.Context().Done()
	}))
	t.Cleanup(mute.Close)
	o := urlOptions()
	o.Subjects = []probe.Subject{{URL: mute.URL}}
	if _, err := probe.Run(ctx, o); !errors.Is(err, errInterrupted) {
		t.Errorf("the error is %v", err)
	}
}

// TestRefusedClientsKeepTheRate wants no more attempts to connect than there may be
// requests.
func TestRefusedClientsKeepTheRate(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	var s *httptest.Server
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 2 { // the first of the load, after that of the check
			s.Listener.Close()
		}
		w.Header().Set("Connection", "close")
	}))
	// On a port that nobody else gets when it is closed.
	_ = s.Listener.Close()
	var err error
	if s.Listener, err = net.Listen("tcp4", freeAddr(t)); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Close)
	o := urlOptions()
	o.For = 2 * time.Second
	o.Profile.Rate = 20
	begin := time.Now()
	r := mustRunFor(t, s.URL, o)
	if most := int(3*o.Profile.Rate*time.Since(begin).Seconds()) + o.Profile.Connections; r.Refused == 0 || r.Refused > most {
		t.Errorf("%d refused, and %d at most were to be tried", r.Refused, most)
	}
}
