package adopt

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

const (
	// fiberModule is the Fiber that the test takes. It asks for an older
	// fasthttp, which the replace line covers.
	fiberModule = "github.com/gofiber/fiber/v3 v3.1.0"

	connections = 20

	// window is how soon after SIGTERM a request of the test has to be sent: a
	// waiting connection closes in the second half of the final-read window,
	// which is 500 ms long by default. A round that a busy machine could not
	// do in time is done again.
	window = 250 * time.Millisecond
	rounds = 5
)

func TestServiceWithVendoredCopyAnswersAfterSIGTERM(t *testing.T) {
	m := newApp(t, "plain")
	m.Vendor(command)
	checkDrains(t, m)
}

func TestFiberAppWithVendoredCopyAnswersAfterSIGTERM(t *testing.T) {
	m := newApp(t, "fiberv3", fiberModule)
	m.Vendor(command)
	checkDrains(t, m)
}

// The control: what the tests above see is the work of the copy, as the same
// app with the fasthttp that it asks for loses requests.
func TestFiberAppWithoutTheCopyLosesRequests(t *testing.T) {
	m := newApp(t, "fiberv3", fiberModule)
	m.Tidy()
	bin, info := m.Build()
	if dep := consumer.Dependency(t, info, consumer.Fasthttp); dep.Replace != nil {
		t.Fatalf("fasthttp is replaced by %s, so this is no control", dep.Replace.Path)
	}
	p, clients := startWithClients(t, bin)
	terminate(t, p)
	if err := process.AwaitRefused(p.Addr, bound); err != nil {
		t.Fatal(err)
	}
	lost, told := 0, 0
	for i, c := range clients {
		// Upstream may still answer one request without a word, and leaves
		// then, so the next one tells.
		last, err := c.get()
		if err == nil && !last {
			last, err = c.get()
		}
		switch {
		case err != nil:
			lost++
		case last:
			told++
		default:
			t.Errorf("connection %d goes on after the stop", i)
		}
	}
	t.Logf("%s %s: %d of %d connections lost a request after SIGTERM", consumer.Fasthttp,
		consumer.Dependency(t, info, consumer.Fasthttp).Version, lost, connections)
	if lost == 0 {
		t.Errorf("no request was lost (%d responses said close): the tests with the copy prove nothing", told)
	}
	wait(t, p)
}

// checkDrains builds a module that holds a copy, and wants every kept-alive
// connection to get an answer with 'Connection: close' to a request that it
// sends after SIGTERM, then FIN, and the process to end well.
func checkDrains(t *testing.T, m *consumer.Module) {
	t.Helper()
	bin, info := m.Build()
	dep := consumer.Dependency(t, info, consumer.Fasthttp)
	if dep.Replace == nil || dep.Replace.Path != "./"+consumer.CopyDir {
		t.Fatalf("fasthttp in the binary is %+v, replaced by %+v; want ./%s", dep, dep.Replace, consumer.CopyDir)
	}
	for range rounds {
		p, clients := startWithClients(t, bin)
		stop := time.Now()
		terminate(t, p)
		if err := process.AwaitRefused(p.Addr, bound); err != nil {
			t.Fatal(err)
		}
		inTime := true
		for i, c := range clients {
			last, err := c.get()
			sent := c.sent.Sub(stop)
			switch {
			case err != nil && sent > window:
				t.Logf("connection %d sent its request only %s after SIGTERM (%v)", i, sent, err)
				inTime = false
			case err != nil:
				t.Errorf("connection %d lost the request that it sent %s after SIGTERM: %v", i, sent, err)
			case !last:
				t.Errorf("connection %d: the response after SIGTERM does not say close", i)
			default:
				if err := c.left(); err != nil {
					t.Errorf("connection %d after its last response: %v, want FIN", i, err)
				}
			}
			c.conn.Close()
		}
		wait(t, p)
		if inTime {
			return
		}
	}
	t.Errorf("in %d rounds the machine was too slow to send a request within %s of SIGTERM", rounds, window)
}

// startWithClients starts a service and keep-alive connections that have had a
// response each.
func startWithClients(t *testing.T, bin string) (*process.Process, []*client) {
	t.Helper()
	p := start(t, bin)
	var clients []*client
	for i := range connections {
		c := dial(t, p.Addr)
		if last, err := c.get(); err != nil || last {
			t.Fatalf("connection %d before the stop: error %v, close %v; want an answer without close", i, err, last)
		}
		clients = append(clients, c)
	}
	return p, clients
}

// newApp makes a module of one of the apps, which requires no more than it is told.
func newApp(t *testing.T, app string, requires ...string) *consumer.Module {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "apps", app, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	m := consumer.NewModule(t, app, requires...)
	m.Write("main.go", string(text))
	return m
}

// start starts a service, which is killed at the end of the test if it still runs.
func start(t *testing.T, bin string) *process.Process {
	t.Helper()
	p, err := process.Start(t.Context(), process.Command{Path: bin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// terminate sends SIGTERM.
func terminate(t *testing.T, p *process.Process) {
	t.Helper()
	if err := p.Terminate(); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the end of the service and wants exit code 0.
func wait(t *testing.T, p *process.Process) {
	t.Helper()
	p.Wait(bound)
	if p.Exit() != process.ExitClean {
		t.Errorf("the service ended with %s, want exit code 0%s", p.Exit(), p.Stderr())
	}
}
