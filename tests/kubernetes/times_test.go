package kubernetes

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// What the contract of the server adds to the times that are set: see "It ends"
// in README.md.
const (
	acceptQueue = time.Second
	linger      = 500 * time.Millisecond

	// finalRead is how long the window of the default lasts at most.
	finalRead = 3 * time.Second

	// closing is what examples/observed takes after the last scrape at most: an
	// export and the last response of the metrics' listener.
	closing = 10 * time.Second
)

func TestTimesAddUp(t *testing.T) {
	m := build(t)
	pod := m.deployment.Spec.Template
	c := container(t, m)
	flag := func(name string) time.Duration {
		t.Helper()
		for _, arg := range c.Args {
			if value, ok := strings.CutPrefix(arg, "-"+name+"="); ok {
				return duration(t, value)
			}
		}
		t.Fatalf("the container has no -%s in %q", name, c.Args)
		return 0
	}
	sleep := time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	slowest := duration(t, pod.Annotations["fastdrain.example/slowest-request"])
	killed := time.Duration(*pod.Spec.TerminationGracePeriodSeconds) * time.Second
	interval := duration(t, string(m.monitor.Spec.PodMetricsEndpoints[0].Interval))

	// A short window of its own would lose what the default saves: see docs/window.md.
	if window := flag("final-read"); window != 0 {
		t.Errorf("-final-read is %v, and the default is what docs/kubernetes.md speaks of", window)
	}
	drain := flag("lame-duck") + acceptQueue + slowest + finalRead + linger
	if grace := flag("grace"); drain >= grace {
		t.Errorf("a drain may take %v, but -grace is %v", drain, grace)
	}
	page, err := os.ReadFile("../../docs/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	closed := sleep + drain
	for _, row := range []string{
		fmt.Sprintf("| %v at the latest |", closed.Seconds()),
		fmt.Sprintf("| up to %v |", (closed + flag("await-scrape")).Seconds()),
	} {
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/kubernetes.md has no row that begins with %q", row)
		}
	}
	if await := flag("await-scrape"); await < 2*interval {
		t.Errorf("-await-scrape is %v, and the interval of the PodMonitor %v: twice that is needed", await, interval)
	}
	if all := sleep + flag("grace") + flag("await-scrape") + closing; all >= killed {
		t.Errorf("the end of a pod may take %v, but it is killed after %v", all, killed)
	}
	// New connections must have stopped before the listener closes.
	if probe := time.Duration(c.ReadinessProbe.PeriodSeconds*c.ReadinessProbe.FailureThreshold) * time.Second; flag("lame-duck") < probe {
		t.Errorf("a load balancer that probes as Kubernetes does notices after %v, but the lame duck lasts %v", probe, flag("lame-duck"))
	}
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
