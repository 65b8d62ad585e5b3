package metrics_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/metrics"
)

type lines []string

func (l *lines) Printf(format string, args ...any) {
	*l = append(*l, fmt.Sprintf(format, args...))
}

func TestLogReportWritesTheAccountOnOneLine(t *testing.T) {
	var out lines
	s := startServer(t)
	stuck := s.dial()
	stuck.send("/park")
	await(t, "the parked request", s.parked)
	s.awaitStats(fasthttp.ConnStats{Open: 1, Active: 1})

	quiet := &fasthttp.Server{Logger: &out}
	if metrics.LogReport(quiet); len(out) != 0 {
		t.Errorf("without a drain the log says %q", out)
	}

	ctx, cancel := context.WithCancel(context.Background())
	done := s.shutdown(ctx)
	s.awaitPhase(fasthttp.PhaseDraining)
	cancel()
	await(t, "the end of Shutdown", done)
	s.Logger = &out
	r := metrics.LogReport(s.Server)
	if r.Verdict() != "timed_out" {
		t.Errorf("the verdict is %q", r.Verdict())
	}
	if len(out) != 2 || strings.Contains(out[0], "\n") || !strings.Contains(out[1], "still running: 1 in ") {
		t.Fatalf("the log has not one line, and one for the function: %q", out)
	}
	for _, want := range []string{"timed_out", "1 left open", "still open: " + stuck.LocalAddr().String() + " active since"} {
		if !strings.Contains(out[0], want) {
			t.Errorf("the line does not say %q: %s", want, out[0])
		}
	}
}
