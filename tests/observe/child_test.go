package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/internal/process"
	"github.com/fastdrain/fastdrain/metrics"
)

// childEnv makes the test binary a server: a process of its own, that can be
// killed and that ends after its drain.
const childEnv = "FASTDRAIN_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	if err := childMain(); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

// childMain prints the address of its service and that of its metrics, drains at
// SIGTERM, waits for the last scrape, and prints its report.
func childMain() error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	srv := &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			if string(ctx.Path()) == "/hold" {
				fmt.Println("held")
				select {}
			}
			ctx.SetBodyString("hello")
		},
		Drain: fasthttp.Drain{FinalRead: bound},
	}
	collector := metrics.NewCollector(metrics.Servers{"child": srv})
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)
	listener, err := metrics.Listen("127.0.0.1:0", registry, nil)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go srv.Serve(ln)
	fmt.Println(ln.Addr())
	fmt.Println(listener.Addr())
	<-stop.Done()

	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if err := srv.ShutdownWithContext(ctx); err != nil {
		return err
	}
	if err := collector.AwaitScrape(ctx); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(srv.DrainReport()); err != nil {
		return err
	}
	return listener.Shutdown(ctx)
}

// child is such a process.
type child struct {
	*process.Running
	lines         *process.Lines
	addr, metrics string
	ledger        ledger
}

func startChild(t *testing.T) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{lines: process.NewLines()}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stdout, cmd.Stderr = c.lines, os.Stderr
	if c.Running, err = process.Run(cmd, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	c.addr = c.line(t, "its address")
	c.metrics = c.line(t, "its metrics address")
	if !strings.Contains(c.metrics, ":") {
		t.Fatalf("the child said %q and %q", c.addr, c.metrics)
	}
	return c
}

// line waits for the child's next line.
func (c *child) line(t *testing.T, what string) string {
	t.Helper()
	line, said := c.lines.Await(c.Running, bound, nil)
	if !said {
		t.Fatalf("the child has not said %s, or has ended before", what)
	}
	return line
}

func (c *child) terminate(t *testing.T) {
	t.Helper()
	if err := c.Terminate(); err != nil {
		t.Fatal(err)
	}
}

// report waits for the child's report, its last words.
func (c *child) report(t *testing.T) fasthttp.DrainReport {
	t.Helper()
	var r fasthttp.DrainReport
	line := c.line(t, "its report")
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("the child's report: %v: %s", err, line)
	}
	return r
}
