package doctor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// services are the binaries, and the reason that doctor has to give, empty if it
// is to be content.
var services = []struct{ name, reason string }{
	{"never", "nothing in it calls Shutdown"},
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
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	addr := freeAddr(t)
	cmd := exec.CommandContext(ctx, file)
	cmd.Env = append(os.Environ(), "ADDR="+addr, "GOMAXPROCS=2")
	// A group of its own, so that no child of a prefork is left.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may be gone
	}()
	lines := make(chan string, 1000)
	go func() {
		for s := bufio.NewScanner(r); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}()

	await(t, lines, "listening")
	response := make(chan string, 1)
	conn := dial(t, addr)
	defer conn.Close()
	go func() { response <- request(conn) }()
	await(t, lines, "working")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	answered := strings.HasPrefix(<-response, "HTTP/1.1 200")
	if filepath.Base(file) == "prefork" {
		// It would not end: what is to be seen is that it serves on.
		await(t, lines, "shut down")
		next := dial(t, addr)
		defer next.Close()
		if request(next) != "" {
			return false
		}
	}
	select {
	case err := <-exited:
		t.Logf("%s: answered: %v, exit: %v", filepath.Base(file), answered, err)
		return answered && err == nil
	case <-time.After(bound):
		t.Errorf("%s has not exited", file)
		return false
	}
}

func await(t *testing.T, lines <-chan string, prefix string) {
	t.Helper()
	timeout := time.After(bound)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("it ended without saying %q", prefix)
			}
			if strings.HasPrefix(line, prefix) {
				return
			}
		case <-timeout:
			t.Fatalf("it has not said %q", prefix)
		}
	}
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
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
