package consumer

import (
	"path/filepath"
	"testing"
	"time"
)

const (
	root = "../.." // of the repository

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
	m := newModule(t, "service")
	m.copyFrom("main.go", filepath.Join("testdata", "service", "main.go"))
	m.vendor()
	checkDrains(t, m)
}

func TestFiberAppWithVendoredCopyAnswersAfterSIGTERM(t *testing.T) {
	m := newModule(t, "fiberapp", fiberModule)
	m.copyFrom("main.go", filepath.Join("testdata", "fiber", "main.go"))
	m.vendor()
	checkDrains(t, m)
}

// The control: what the tests above see is the work of the copy, as the same
// app with the fasthttp that it asks for loses requests.
func TestFiberAppWithoutTheCopyLosesRequests(t *testing.T) {
	m := newModule(t, "fiberapp", fiberModule)
	m.copyFrom("main.go", filepath.Join("testdata", "fiber", "main.go"))
	m.tidy()
	bin, info := m.build()
	if dep := dependency(t, info, fasthttpPath); dep.Replace != nil {
		t.Fatalf("fasthttp is replaced by %s, so this is no control", dep.Replace.Path)
	}
	p, clients := startWithClients(t, bin)
	p.terminate()
	awaitStop(t, p.addr)
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
	t.Logf("%s %s: %d of %d connections lost a request after SIGTERM", fasthttpPath,
		dependency(t, info, fasthttpPath).Version, lost, connections)
	if lost == 0 {
		t.Errorf("no request was lost (%d responses said close): the tests with the copy prove nothing", told)
	}
	p.wait()
}

// checkDrains builds a module that holds a copy, and wants every kept-alive
// connection to get an answer with 'Connection: close' to a request that it
// sends after SIGTERM, then FIN, and the process to end well.
func checkDrains(t *testing.T, m *module) {
	t.Helper()
	bin, info := m.build()
	dep := dependency(t, info, fasthttpPath)
	if dep.Replace == nil || dep.Replace.Path != "./"+copyDir {
		t.Fatalf("fasthttp in the binary is %+v, replaced by %+v; want ./%s", dep, dep.Replace, copyDir)
	}
	for range rounds {
		p, clients := startWithClients(t, bin)
		p.terminate()
		stop := time.Now()
		awaitStop(t, p.addr)
		inTime := true
		for i, c := range clients {
			sent := time.Since(stop)
			last, err := c.get()
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
		p.wait()
		if inTime {
			return
		}
	}
	t.Errorf("in %d rounds the machine was too slow to send a request within %s of SIGTERM", rounds, window)
}

// startWithClients starts a service and keep-alive connections that have had a
// response each.
func startWithClients(t *testing.T, bin string) (*process, []*client) {
	t.Helper()
	p := start(t, bin)
	var clients []*client
	for i := range connections {
		c := dial(t, p.addr)
		if last, err := c.get(); err != nil || last {
			t.Fatalf("connection %d before the stop: error %v, close %v; want an answer without close", i, err, last)
		}
		clients = append(clients, c)
	}
	return p, clients
}
