package adopt

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

// How often the app is stopped with one request running, and its control without the
// copy.
const (
	gracefulStops = 20
	controlStops  = 5
)

// A Fiber app with GracefulContext whose main ends when Listen returns answers what
// was running: Serve returns with its drain. Without the copy it answers nothing.
func TestFiberAppThatEndsWithListenAnswers(t *testing.T) {
	for _, vendored := range []bool{true, false} {
		m := newApp(t, "graceful", fiberModule)
		if vendored {
			m.Vendor(command)
		} else {
			m.Tidy()
		}
		bin, info := m.Build()
		if dep := consumer.Dependency(t, info, consumer.Fasthttp); (dep.Replace != nil) != vendored {
			t.Fatalf("fasthttp in the binary is %+v, replaced by %+v", dep, dep.Replace)
		}
		lost, stops := 0, gracefulStops
		if !vendored {
			stops = controlStops
		}
		for range stops {
			if err := stopWithOneRunning(t, bin); err != nil {
				lost++
				if vendored {
					t.Errorf("the running request was lost: %v", err)
				}
			}
		}
		t.Logf("with the copy: %v; %d of %d stops lost the running request", vendored, lost, stops)
		if !vendored && lost == 0 {
			t.Error("upstream lost nothing, so this had no control")
		}
	}
}

// stopWithOneRunning stops the app while it answers a request.
func stopWithOneRunning(t *testing.T, bin string) error {
	t.Helper()
	p := start(t, bin)
	conn, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(bound))
	br := bufio.NewReader(conn)
	// The first answer says that the app serves, the second request is sent with
	// the signal and runs while it is stopped.
	for _, path := range []string{"/", "/slow"} {
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path); err != nil {
			t.Fatal(err)
		}
		if path == "/slow" {
			time.Sleep(100 * time.Millisecond) // nothing tells from outside that it runs
			terminate(t, p)
		}
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			wait(t, p)
			return err
		}
		_ = res.Body.Close()
	}
	_ = conn.Close()
	wait(t, p)
	return nil
}
