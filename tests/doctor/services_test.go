package doctor

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
)

// services are the binaries, and the reason that doctor has to give, empty if it
// is to be content.
var services = []struct{ name, reason string }{
	{"never", "nothing in it calls Shutdown"},
	{"conns", "nothing in it calls Shutdown"},
	{"fiber", "nothing in it asks for a signal"},
	{"template", "nothing in it asks for a signal"},
	{"interrupt", "nothing in it asks for SIGTERM, which then ends it at once and nothing drains: it asks for SIGINT in main.main"},
	{"prefork", "it runs prefork"},
	{"plain", ""},
	{"drainrun", ""},
	{"hooks", ""},
	{"router", ""},
}

func TestServices(t *testing.T) {
	for _, s := range services {
		t.Run(s.name, func(t *testing.T) {
			file := filepath.Join(bin, s.name)
			if s.reason != "" {
				fails(t, service, []string{"doctor", file}, file+": NOT OK: patched, but "+s.reason, "to do:")
			} else {
				passes(t, service, []string{"doctor", file}, file+": ok: the patched fasthttp\n", "SIGTERM", "To see it proved: fastdrain ")
			}
			if drained := drains(t, file); drained != (s.reason == "") {
				t.Errorf("doctor is wrong: it drains: %v", drained)
			}
		})
	}
}

// bound is how long a step may take on a machine that is busy.
const bound = time.Minute

// drains sends a service SIGTERM while it answers a request, and says whether the
// request was answered and the process has exited by itself.
func drains(t *testing.T, file string) bool {
	t.Helper()
	addr := freeAddr(t)
	release := filepath.Join(t.TempDir(), "release")
	cmd := exec.Command(file)
	cmd.Env = append(os.Environ(), "ADDR="+addr, "RELEASE="+release, "GOMAXPROCS=2")
	lines := process.NewLines()
	cmd.Stdout, cmd.Stderr = lines, lines
	p, err := process.Run(cmd, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill() // with the children of a prefork
	await := func(prefix string) {
		t.Helper()
		if _, said := lines.Await(p, bound, func(line string) bool { return strings.HasPrefix(line, prefix) }); !said {
			t.Fatalf("it has not said %q in %v, or has ended before", prefix, bound)
		}
	}

	await("listening")
	response := make(chan string, 1)
	conn := dial(t, addr)
	defer conn.Close()
	go func() { response <- request(conn) }()
	await("working")
	if err := p.Terminate(); err != nil {
		t.Fatal(err)
	}
	// The handler has the signal behind it when it ends.
	if filepath.Base(file) == "prefork" {
		await("shut down")
	} else if err := process.AwaitRefused(addr, bound); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(release, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	answered := strings.HasPrefix(<-response, "HTTP/1.1 200")
	if filepath.Base(file) == "prefork" {
		// It would not end: what is to be seen is that it serves on.
		next := dial(t, addr)
		defer next.Close()
		if request(next) != "" {
			return false
		}
	}
	p.Wait(bound)
	t.Logf("%s: answered: %v, exit: %s", filepath.Base(file), answered, p.Exit())
	if p.Exit() == process.ExitKilled {
		t.Errorf("%s has not exited", file)
	}
	return answered && p.Exit() == process.ExitClean
}

// dial connects, which may need some tries until a prefork's children listen.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	for end := time.Now().Add(bound); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp4", addr)
		if err == nil {
			_ = conn.SetDeadline(time.Now().Add(bound))
			return conn
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// request is the response, empty if there was none.
func request(conn net.Conn) string {
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
	text, err := io.ReadAll(conn)
	if err != nil {
		return ""
	}
	return string(text)
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := process.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}
