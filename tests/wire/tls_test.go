//go:build linux

package wire

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/tests/internal/link"
)

// bound is for what takes a second or two at most.
const bound = 45 * time.Second

// TestNoResetOverTLS stops a server with TLS connections that wait, and with some
// whose request is on its way or running. Each client says close_notify before its FIN; a server
// that has closed its socket by then answers that with RST.
func TestNoResetOverTLS(t *testing.T) {
	for _, variant := range []string{lab.Patched, lab.Upstream} {
		t.Run(variant, func(t *testing.T) {
			lost, wire := stopOverTLS(t, variant)
			t.Logf("%v; %d lost", wire, lost)
			switch {
			case variant == lab.Upstream && wire.outRsts == 0:
				t.Error("upstream sent no RST: there was no control")
			case variant == lab.Patched && (wire != counters{} || lost > 0):
				t.Errorf("%v; %d requests lost", wire, lost)
			}
		})
	}
}

func stopOverTLS(t *testing.T, variant string) (lost int, wire counters) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	path, err := lab.Build(t.Context(), root, variant)
	if err != nil {
		t.Fatal(err)
	}
	l := link.Open(t, 10*time.Millisecond)
	args := []string{"-tls"}
	if variant == lab.Patched {
		args = append(args, "-linger", longLinger)
	}
	server, err := process.Start(t.Context(), process.Command{
		Path: path, Args: args, Start: l.Server.Start,
		Addr: net.JoinHostPort(l.Server.IPv4.String(), "0"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Kill()

	const clients = 50 // of each kind
	var ready, joined sync.WaitGroup
	losses := make(chan error, 2*clients)
	for id := range 2 * clients {
		ready.Add(1)
		joined.Go(func() {
			losses <- tlsClient(l, server.Addr, id%2 == 0, ready.Done)
		})
	}
	ready.Wait()
	before := count(t, l.Server)
	if _, err := server.Stop(bound); err != nil {
		t.Fatal(err)
	}
	joined.Wait()
	close(losses)
	if how := server.Exit(); how != process.ExitClean {
		t.Errorf("the server ended with %s%s", how, server.Stderr())
	}
	for err := range losses {
		if err != nil {
			t.Log(err)
			lost++
		}
	}
	return lost, count(t, l.Server).minus(before)
}

// tlsClient gets one response, and then sends another one directly before the
// stop, or waits for the server's close_notify. ready is called before the stop.
func tlsClient(l *link.Link, addr string, sends bool, ready func()) error {
	var once sync.Once
	defer once.Do(ready)
	var raw net.Conn
	err := l.Client.Do(func() (err error) {
		raw, err = net.DialTimeout("tcp4", addr, bound)
		return err
	})
	if err != nil {
		return err
	}
	// Nobody trusts the certificate; this is about connections.
	conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(bound))
	in := bufio.NewReader(conn)
	send := func(sleep time.Duration) error {
		_, err := fmt.Fprintf(conn, "GET /?name=x&sleep=%s HTTP/1.1\r\nHost: wire\r\n\r\n", sleep)
		return err
	}
	receive := func() error {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := send(0); err != nil {
		return err
	}
	if err := receive(); err != nil {
		return err
	}
	if sends {
		if err := send(300 * time.Millisecond); err != nil {
			return err
		}
	}
	once.Do(ready)
	if sends {
		if err := receive(); err != nil {
			return fmt.Errorf("the request sent before the stop: %w", err)
		}
	}
	if _, err := in.ReadByte(); err != io.EOF {
		return fmt.Errorf("%v instead of close_notify", err)
	}
	return nil
}
