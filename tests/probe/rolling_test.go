//go:build linux

package probe

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/probe"
	"github.com/fastdrain/fastdrain/tests/internal/proxy"
)

// restart is a rolling restart as a line of shell does it: of each of two instances the
// next process listens, on the same port, before this one gets SIGTERM.
//
//	$1 the program, $2 a directory, $3... the addresses
const restart = `#!/bin/sh
program=$1 dir=$2
shift 2
for addr; do
	old=$(cat "$dir/$addr" 2>/dev/null)
	: >"$dir/$addr.out"
	"$program" -reuseport -addr "$addr" >"$dir/$addr.out" 2>&1 &
	echo $! >"$dir/$addr"
	tries=0
	until grep -q listening "$dir/$addr.out"; do
		tries=$((tries + 1))
		[ $tries -lt 3000 ] || exit 1
		sleep 0.01
	done
	[ -n "$old" ] || continue
	kill -TERM "$old" || exit 1
	while kill -0 "$old" 2>/dev/null; do sleep 0.01; done
done
`

// TestRollingRestart loads nginx and HAProxy, without retries, while two instances
// behind them are restarted in turn: with upstream requests fail, with the copy none.
func TestRollingRestart(t *testing.T) {
	onlyFull(t)
	for _, program := range []string{proxy.Nginx, proxy.HAProxy} {
		for _, variant := range []string{lab.Upstream, lab.Patched} {
			t.Run(program+"/"+variant, func(t *testing.T) {
				rolling(t, program, variant)
			})
		}
	}
}

func rolling(t *testing.T, program, variant string) {
	dir := t.TempDir()
	script := filepath.Join(dir, "restart")
	if err := os.WriteFile(script, []byte(restart), 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{script, buildExample(t, variant), dir, freeAddr(t), freeAddr(t)}
	t.Cleanup(func() {
		for _, addr := range args[3:] {
			text, _ := os.ReadFile(filepath.Join(dir, addr))
			if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	listen := freeAddr(t)
	p, err := proxy.Start(t.Context(), proxy.Setup{
		Program: program, Servers: args[3:], Listen: listen, Keepalive: 32, Reuse: "always", Say: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	await(t, listen)

	o := urlOptions()
	o.For = 0
	o.During = strings.Join(args, " ")
	o.Rounds = 5
	o.Profile = probe.Profile{Kinds: []probe.Kind{probe.Busy, probe.Pool, probe.New}, Connections: 60, Rate: 2000}
	s := probe.Subject{URL: "http://" + listen + "/", Title: fmt.Sprintf("%s with %s", program, variant)}
	if variant == lab.Patched {
		r := mustRun(t, s, o)
		if r.Bad() != 0 {
			t.Errorf("%d lost, %d answered with 5xx", r.Lost, r.Failed)
		}
		wantDiagnoses(t, r, []string{probe.AllAnswered})
		return
	}
	for range 8 {
		r := mustRun(t, s, o)
		if r.Bad() == 0 {
			continue // lucky
		}
		// nginx answers with 502; HAProxy closes the connection to the client, too, where
		// that had been used before.
		if !says(r, probe.Gateway) && !says(r, probe.Kept) {
			t.Errorf("it says neither %q nor %q", probe.Gateway, probe.Kept)
		}
		wantDiagnoses(t, r, nil, probe.Gateway, probe.Kept)
		return
	}
	t.Error("upstream lost nothing: there was no control")
}

// await waits until somebody listens.
func await(t *testing.T, addr string) {
	t.Helper()
	for deadline := time.Now().Add(bound); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
