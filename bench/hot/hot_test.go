package hot

import (
	"runtime"
	"testing"
)

// BenchmarkHot measures the workloads. An operation is a request.
func BenchmarkHot(b *testing.B) {
	for _, w := range Workloads {
		b.Run(w.Name, func(b *testing.B) {
			r, err := w.Start()
			defer r.Close()
			if err != nil {
				b.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b.ResetTimer()
			err = r.Run(b.N)
			b.StopTimer()
			runtime.ReadMemStats(&after)
			if err != nil {
				b.Fatal(err)
			}
			// The testing package rounds allocations down to whole ones, which
			// would hide one on every second request.
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N), "mallocs/op")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N), "heap-B/op")
		})
	}
}
func TestWorkloadsAreAnswered(t *testing.T) {
	for _, w := range Workloads {
		t.Run(w.Name, func(t *testing.T) {
			w := *w
			w.conns = min(w.conns, 500) // the race detector cannot do with thousands
			r, err := w.Start()
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{1, 7, 100} {
				if err := r.Run(n); err != nil {
					t.Errorf("%d requests: %v", n, err)
				}
			}
			if err := r.Close(); err != nil {
				t.Errorf("the end: %v", err)
			}
		})
	}
}

// The control: a client that did not notice wrong answers would measure them.
func TestWrongAnswersAreNoticed(t *testing.T) {
	for _, name := range []string{"get", "clients-10000", "tls"} {
		w := *Named(name)
		w.conns = min(w.conns, 10)
		w.request = "GET / HTTP/1.1\r\n\r\n" // no Host
		r, err := w.Start()
		if err == nil {
			t.Errorf("%s: requests without a Host header are answered with 200", name)
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: the end: %v", name, err)
		}
	}
}
