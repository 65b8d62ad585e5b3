//go:build linux

package wire

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/tests/internal/link"
)

var roundsFlag = flag.Int("rounds", 1, "stop each server `N` times in each scenario")

// result is what the clients, the server and the server's kernel say of some stops.
type result struct {
	lab.Result
	wire counters // from SIGTERM to the clients' end
}

// resets is the number of RST that the server sent for anything but a connection
// that it refused after the stop, which is a RST by the protocol (RFC 9293,
// section 3.5.2).
func (r result) resets() int { return r.wire.outRsts - r.Refused }

// stop runs a scenario of the lab with its servers at one end of a link and its
// clients at the other.
func stop(t *testing.T, oneWay time.Duration, scenario, variant string, rounds int, patchedArgs ...string) result {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	l := link.Open(t, oneWay)
	file := filepath.Join(t.TempDir(), "lab.json")
	var r result
	var atStop counters
	var out strings.Builder
	err = lab.Run(t.Context(), lab.Options{
		Root:      root,
		Scenarios: []string{scenario}, Variants: []string{variant}, Rounds: rounds,
		PatchedArgs: patchedArgs,
		JSONFile:    file,
		Out:         &out, Progress: io.Discard,

		Addr:  net.JoinHostPort(l.Server.IPv4.String(), "0"),
		Start: l.Server.Start,
		Dial: func(d *net.Dialer, network, addr string) (conn net.Conn, err error) {
			err = l.Client.Do(func() (err error) {
				conn, err = d.Dial(network, addr)
				return err
			})
			return conn, err
		},
		Stopping: func() { atStop = count(t, l.Server) },
		Stopped:  func() { r.wire = r.wire.plus(count(t, l.Server).minus(atStop)) },
	})
	// The lab's limits are those of loopback; what counts here is judged here.
	if err != nil && !errors.Is(err, lab.ErrLimit) {
		t.Fatalf("%v\n%s", err, out.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var results []lab.Result
	if err := json.Unmarshal(text, &results); err != nil || len(results) != 1 {
		t.Fatalf("the lab's results: %v: %s", err, text)
	}
	if results[0].Exit != "0" {
		t.Errorf("the servers ended with %s\n%s", results[0].Exit, out.String())
	}
	r.Result = results[0]
	return r
}
