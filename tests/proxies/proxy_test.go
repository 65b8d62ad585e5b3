//go:build linux

package proxies

import (
	"testing"

	"github.com/fastdrain/fastdrain/internal/tool"
	"github.com/fastdrain/fastdrain/tests/internal/proxy"
)

// find returns the path of a program, and installs it if need be and possible.
func find(t *testing.T, name string) string {
	t.Helper()
	path, err := tool.Find(t.Context(), name, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startProxy starts a proxy and returns the Unix socket that it listens on.
func startProxy(t *testing.T, s proxy.Setup) (socket string) {
	t.Helper()
	s.Keepalive, s.Reuse, s.Say = 32, "always", t.Logf
	p, err := proxy.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s said:\n%s", s.Program, p.Said())
		}
		p.Stop()
	})
	return p.Socket
}

// tail is the end of an output.
func tail(text []byte) []byte {
	return text[max(0, len(text)-2000):]
}
