package observe

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/tools/observe"
)

// What the clients of the server "shop" hold.
const (
	loadClients = 20 // in a closed loop
	idleClients = 10 // have had an answer, and wait
	heldClients = 6  // wait for an answer
	newClients  = 4  // have not said a word
)

// drainUnderLoad stops a server under load, with its clients parked at several
// points, and compares what Prometheus scraped there with what the clients hold.
func (w *world) drainUnderLoad(t *testing.T) {
	s, p := w.shop, w.prometheus
	began := time.Now()
	ld := startLoad(t, s.addr, loadClients, &s.ledger)
	var idle, held, fresh []*client
	for range idleClients {
		c := dial(t, s.addr, &s.ledger)
		c.get(t, "/", false)
		idle = append(idle, c)
	}
	for range heldClients {
		c := dial(t, s.addr, &s.ledger)
		if err := c.send("/hold"); err != nil {
			t.Fatal(err)
		}
		receiveOne(t, "a request to be held", s.held)
		held = append(held, c)
	}
	for range newClients {
		fresh = append(fresh, dial(t, s.addr, &s.ledger))
	}
	point := func(name string, want fasthttp.ConnStats) time.Time {
		t.Helper()
		want.Open = want.New + want.Active + want.Idle
		s.settle(t, want)
		at := w.scraped(t, "shop")
		check(t, p, at, connections("shop", want))
		if t.Failed() {
			t.Fatalf("at the point: %s", name)
		}
		return at
	}

	await(t, "the load to be under way", func() bool { return ld.requests.Load() > 10*loadClients })
	ld.park.Lock()
	point("before the stop", fasthttp.ConnStats{New: newClients, Active: heldClients, Idle: idleClients + loadClients})
	ld.park.Unlock()

	// The stop comes under load. Each of the load's clients goes on until it is
	// told to close; the others are parked as they are.
	before := ld.requests.Load()
	await(t, "the load to go on", func() bool { return ld.requests.Load() > before+10*loadClients })
	stopped := s.stop(t.Context())
	s.enter(t, fasthttp.PhaseDraining)
	ld.clients.Wait()
	close(ld.failed)
	for err := range ld.failed {
		t.Errorf("a client of the load: %v", err)
	}
	w.drainingAt = point("after the stop: running handlers have not seen it",
		fasthttp.ConnStats{New: newClients, Active: heldClients, Idle: idleClients, StopSeen: newClients + idleClients})

	// Half of the handlers end; their connections wait for a last request.
	for _, c := range held[:heldClients/2] {
		s.letGo <- struct{}{}
		_ = c
	}
	var waiting []*client
	answered := make(chan *client, heldClients)
	failed := make(chan error, heldClients)
	receive := func(cs []*client) {
		for _, c := range cs {
			go func() {
				if _, err := c.receive(); err != nil {
					failed <- err
					return
				}
				answered <- c
			}()
		}
	}
	// Which of the held requests was let go is not known: read them all.
	receive(held)
	for range heldClients / 2 {
		waiting = append(waiting, receiveOne(t, "an answer to a held request", answered))
	}
	point("half of the handlers have ended",
		fasthttp.ConnStats{
			New: newClients, Active: heldClients - len(waiting), Idle: idleClients + len(waiting),
			StopSeen: newClients + idleClients + len(waiting),
		})

	// Everybody who waits has a last request; two of the new clients go instead.
	for _, c := range append(append(idle, waiting...), fresh[2:]...) {
		c.get(t, "/", true)
	}
	for _, c := range fresh[:2] {
		c.leave()
	}
	point("only handlers are left", fasthttp.ConnStats{Active: heldClients - len(waiting)})

	for range heldClients - len(waiting) {
		s.letGo <- struct{}{}
		receiveOne(t, "an answer to a held request", answered).get(t, "/", true)
	}
	if err := receiveOne(t, "the shutdown", stopped); err != nil {
		t.Fatalf("the shutdown: %v", err)
	}
	select {
	case err := <-failed:
		t.Errorf("a held request: %v", err)
	default:
	}

	// What was scraped last is the account, number for number, and the clients'
	// own count.
	report := s.DrainReport()
	if err := w.collector.AwaitScrape(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := point("after the drain", fasthttp.ConnStats{})
	check(t, p, at, account("shop", report, "%s"))
	l := &s.ledger
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"connections", int64(report.Outcomes.Total()), l.connections.Load()},
		{"closed after a response", int64(report.Outcomes.ClosedAfterResponse), l.closing.Load()},
		{"final reads served", int64(report.FinalReadServed), l.closing.Load()},
		{"closed by the client", int64(report.Outcomes.ClientClosed), l.left.Load()},
		{"late", int64(report.Late), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s: the account says %d, the clients counted %d", c.what, c.got, c.want)
		}
	}
	if v := report.Verdict(); v != "graceful" {
		t.Errorf("the verdict is %q: %v", v, report)
	}
	checkCourse(t, p, time.Since(began), at)
}

// checkCourse looks at all scrapes of the drain, those under load included.
func checkCourse(t *testing.T, p *observe.Prometheus, window time.Duration, at time.Time) {
	t.Helper()
	samples := func(selector string) []model.SamplePair {
		s, err := p.Samples(t.Context(), selector, window, at)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	open := samples(`fasthttp_server_open_connections{server="shop"}`)
	seen := samples(`fasthttp_server_stop_seen_connections{server="shop"}`)
	sum := map[model.Time]model.SampleValue{}
	for _, state := range []string{"new", "active", "idle"} {
		for _, s := range samples(`fasthttp_server_connections{server="shop", state="` + state + `"}`) {
			sum[s.Timestamp] += s.Value
		}
	}
	most := model.SampleValue(0)
	for i, o := range open {
		if sum[o.Timestamp] != o.Value {
			t.Errorf("scrape %d of %d: new + active + idle is %v, open %v", i+1, len(open), sum[o.Timestamp], o.Value)
		}
		if i >= len(seen) || seen[i].Timestamp != o.Timestamp || seen[i].Value > o.Value {
			t.Fatalf("scrape %d of %d: open %v, stop seen %v", i+1, len(open), o, seen)
		}
		most = max(most, seen[i].Value)
	}
	if first, last := seen[0].Value, seen[len(seen)-1].Value; first != 0 || last != 0 || most < newClients+idleClients {
		t.Errorf("stop seen went from %v to %v with at most %v; want 0, 0 and at least %d",
			first, last, most, newClients+idleClients)
	}
}
