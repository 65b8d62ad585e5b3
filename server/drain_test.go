package fasthttp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"
)

// drainBound is how long a test waits for what must happen: generous, so that
// only a hang exceeds it.
const drainBound = 10 * time.Second

// drainKind is a way in which clients reach a Server, and in which its
// connections wait for their requests.
type drainKind struct {
	net    string // "tcp", "tls" or "memory"
	reduce bool   // Server.ReduceMemoryUsage
}

func (k drainKind) String() string {
	if k.reduce {
		return k.net + "/ReduceMemoryUsage"
	}
	return k.net + "/plain"
}

// eachDrainKind runs a scenario over the named networks, each with and without
// ReduceMemoryUsage. In memory it runs in a bubble, in fake time.
func eachDrainKind(t *testing.T, networks string, scenario func(t *testing.T, k drainKind)) {
	t.Helper()
	for _, network := range strings.Fields(networks) {
		for _, reduce := range []bool{false, true} {
			if t.Failed() {
				return // the others would fail alike, and take their time
			}
			k := drainKind{net: network, reduce: reduce}
			t.Run(k.String(), func(t *testing.T) {
				if k.net == "memory" {
					inDrainBubble(t, func(t *testing.T) { scenario(t, k) })
					return
				}
				scenario(t, k)
			})
		}
	}
}

// inDrainBubble runs a scenario in fake time. What must live outside of the
// bubble is started before.
func inDrainBubble(t *testing.T, scenario func(t *testing.T)) {
	t.Helper()
	serverDateOnce.Do(updateServerDate)
	drainTestTLS()
	memoryWakes(t)
	synctest.Test(t, scenario)
}

// drainRig is a Server under test with its clients.
type drainRig struct {
	t    *testing.T
	kind drainKind
	s    *Server
	ln   net.Listener

	served   chan error    // what Serve returned
	stopped  chan struct{} // closed when the stop is set
	idle     chan struct{} // a token whenever a connection goes idle
	executed atomic.Int32  // calls of the Handler

	ctx    context.Context // ends with the test
	cancel context.CancelFunc
	once   sync.Once
}

// startDrainRig serves s on a listener of its own until the test ends. Without
// a Handler it answers with the request's path.
func startDrainRig(t *testing.T, k drainKind, s *Server) *drainRig {
	t.Helper()
	return startDrainRigOn(t, k, s, newDrainListener(t, k))
}

func startDrainRigOn(t *testing.T, k drainKind, s *Server, ln net.Listener) *drainRig {
	t.Helper()
	r := newDrainRig(t, k, s)
	r.ln = ln
	go func() { r.served <- s.Serve(ln) }()
	r.awaitTrue("Serve has begun", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.ln) > 0
	})
	return r
}

// newDrainRig prepares s and does not serve yet.
func newDrainRig(t *testing.T, k drainKind, s *Server) *drainRig {
	t.Helper()
	r := &drainRig{
		t: t, kind: k, s: s,
		served:  make(chan error, 8),
		stopped: make(chan struct{}),
		idle:    make(chan struct{}, 1<<12),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	leftovers := goroutinesOfServer()

	s.ReduceMemoryUsage = k.reduce
	if s.Logger == nil {
		s.Logger = silentDrainLog{}
	}
	if s.MaxIdleWorkerDuration == 0 && k.net != "memory" {
		s.MaxIdleWorkerDuration = 20 * time.Millisecond
	}
	handler := s.Handler
	if handler == nil {
		handler = func(ctx *RequestCtx) { _, _ = ctx.Write(ctx.Path()) }
	}
	s.Handler = func(ctx *RequestCtx) {
		r.executed.Add(1)
		handler(ctx)
	}
	connState := s.ConnState
	s.ConnState = func(c net.Conn, state ConnState) {
		if connState != nil {
			connState(c, state)
		}
		if state == StateIdle {
			select {
			case r.idle <- struct{}{}:
			default:
			}
		}
	}
	onPhase := s.Drain.OnPhase
	s.Drain.OnPhase = func(p DrainPhase) {
		if p == PhaseClosingListeners {
			r.once.Do(func() { close(r.stopped) })
		}
		if onPhase != nil {
			onPhase(p)
		}
	}

	t.Cleanup(func() {
		r.cancel()
		if r.ln != nil {
			_ = r.ln.Close()
		}
		if s.Ready() {
			ctx, cancel := context.WithTimeout(context.Background(), drainBound)
			_ = s.ShutdownWithContext(ctx)
			cancel()
		}
		if k.net == "memory" {
			time.Sleep(11 * time.Second) // past the worker pool's cleaner
			return
		}
		if !t.Failed() {
			awaitGoroutinesOfServer(t, leftovers)
		}
	})
	return r
}

func newDrainListener(t *testing.T, k drainKind) net.Listener {
	t.Helper()
	if k.net == "memory" {
		if !memoryWakes(t) {
			return newPipeListener()
		}
		return fasthttputil.NewInmemoryListener()
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if k.net == "tls" {
		return tls.NewListener(ln, drainTestTLS())
	}
	return ln
}

// drainTestTLS is a server's configuration with a certificate of its own.
var drainTestTLS = sync.OnceValue(func() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), // before fake time begins
		NotAfter:     time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		DNSNames:     []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
})

type silentDrainLog struct{}

func (silentDrainLog) Printf(string, ...any) {}

// dialRaw connects, without a TLS handshake.
func (r *drainRig) dialRaw() net.Conn {
	r.t.Helper()
	var c net.Conn
	var err error
	if ln, ok := r.ln.(interface{ Dial() (net.Conn, error) }); ok {
		c, err = ln.Dial()
	} else {
		c, err = net.Dial("tcp", r.ln.Addr().String())
	}
	if err != nil {
		r.t.Fatalf("cannot connect: %v", err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// dial connects a client.
func (r *drainRig) dial() *drainClient {
	r.t.Helper()
	c := r.dialRaw()
	if r.kind.net == "tls" {
		tc := newDrainTLSClient(c)
		_ = c.SetDeadline(time.Now().Add(drainBound))
		if err := tc.Handshake(); err != nil {
			r.t.Fatalf("TLS handshake: %v", err)
		}
		_ = c.SetDeadline(time.Time{})
		r.t.Cleanup(func() { _ = c.Close() })
		return newDrainClient(r.t, tc)
	}
	return newDrainClient(r.t, c)
}

// dialIdle connects a client and has one request answered.
func (r *drainRig) dialIdle() *drainClient {
	r.t.Helper()
	c := r.dial()
	c.get("/before")
	c.wantCode(StatusOK, keepAlive)
	r.await("the connection to go idle", r.idle)
	r.settle()
	return c
}

func newDrainTLSClient(c net.Conn) *tls.Conn {
	return tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // #nosec G402
}

// settle waits in a bubble until everything waits. Elsewhere it does nothing.
func (r *drainRig) settle() {
	if r.kind.net == "memory" {
		synctest.Wait()
	}
}

// await waits for an event.
func (r *drainRig) await(what string, event <-chan struct{}) {
	r.t.Helper()
	select {
	case <-event:
	case <-time.After(drainBound):
		r.t.Fatalf("waited %v for %s; %s", drainBound, what, r.describe())
	}
}

// awaitTrue waits for a state that no event tells of.
func (r *drainRig) awaitTrue(what string, is func() bool) {
	r.t.Helper()
	for end := time.Now().Add(drainBound); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited %v until %s; %s", drainBound, what, r.describe())
		}
	}
}

// describe says what the Server is at, unless a lock is held that says it.
func (r *drainRig) describe() string {
	said := make(chan string, 1)
	go func() {
		said <- fmt.Sprintf("connections: %+v, drain: %+v", r.s.ConnStats(), r.s.DrainReport())
	}()
	select {
	case text := <-said:
		return text
	case <-time.After(time.Second):
		return "and the connection table is locked"
	}
}

// drainCall is a Shutdown under way.
type drainCall struct {
	r    *drainRig
	err  error
	done chan struct{}
}

// begin calls Shutdown and does not wait for anything.
func (r *drainRig) begin(ctx context.Context) *drainCall {
	call := &drainCall{r: r, done: make(chan struct{})}
	go func() {
		defer close(call.done)
		call.err = r.s.ShutdownWithContext(ctx)
	}()
	return call
}

// stop calls Shutdown and returns when the stop is set.
func (r *drainRig) stop() *drainCall {
	r.t.Helper()
	return r.stopWith(r.ctx)
}

func (r *drainRig) stopWith(ctx context.Context) *drainCall {
	r.t.Helper()
	call := r.begin(ctx)
	r.awaitTrue("the stop is set", func() bool {
		select {
		case <-r.stopped:
			return true
		case <-call.done:
			return true
		default: // a Shutdown without phases only has the flag
			return r.s.stop.Load() == 1 && r.s.Ready()
		}
	})
	r.settle()
	return call
}

// wait returns what Shutdown returned.
func (call *drainCall) wait() error {
	call.r.t.Helper()
	call.r.await("Shutdown to return", call.done)
	return call.err
}

// wantNil demands that Shutdown ended well, that its account adds up, and that
// nothing is left.
func (call *drainCall) wantNil() DrainReport {
	t := call.r.t
	t.Helper()
	if err := call.wait(); err != nil {
		t.Fatalf("Shutdown: %v", err)
	}
	report := call.r.s.DrainReport()
	if report.Phase != PhaseStopped {
		t.Errorf("phase %v after a Shutdown that returned nil", report.Phase)
	}
	wantDrainAddsUp(t, report)
	if st := call.r.s.ConnStats(); st.Open != 0 {
		t.Errorf("connections left after Shutdown: %+v", st)
	}
	return report
}

func wantDrainAddsUp(t *testing.T, report DrainReport) {
	t.Helper()
	if have, want := report.Outcomes.Total(), report.OpenAtStop+report.Accepted; have != want {
		t.Errorf("%d outcomes of %d connections open at the stop and %d accepted since: %+v",
			have, report.OpenAtStop, report.Accepted, report.Outcomes)
	}
}
