package probe

import (
	"testing"
	"time"
)

// TestTheRateIsNeverAbove adds what the clients can send at most.
func TestTheRateIsNeverAbove(t *testing.T) {
	for _, p := range []Profile{
		{Kinds: []Kind{Busy, Pool, New}, Connections: 100, Rate: 2000},
		{Kinds: Kinds(), Connections: 5, Rate: 1},
		{Kinds: Kinds(), Connections: ConnectionsAtMost, Rate: RateAtMost},
		{Kinds: []Kind{Pipeline}, Connections: 50, Rate: 500},
	} {
		groups, err := p.groups()
		if err != nil {
			t.Fatal(err)
		}
		clients, rate := 0, 0.0
		for _, g := range groups {
			clients += g.clients
			one := 1 / g.interval.Seconds()
			if g.kind == Pipeline {
				one *= batch
			}
			rate += float64(g.clients) * one
		}
		if clients > p.Connections {
			t.Errorf("%+v: %d clients", p, clients)
		}
		if rate > p.Rate*1.001 {
			t.Errorf("%+v: %v requests a second", p, rate)
		}
	}
	for _, bad := range []Profile{
		{Kinds: []Kind{Busy}, Connections: 0, Rate: 1}, {Kinds: []Kind{Busy}, Connections: 1, Rate: 0},
		{Kinds: []Kind{Busy}, Connections: ConnectionsAtMost + 1, Rate: 1}, {Kinds: []Kind{Busy}, Connections: 1, Rate: RateAtMost + 1},
		{Kinds: []Kind{"lazy"}, Connections: 9, Rate: 1}, {Kinds: []Kind{Busy, Busy}, Connections: 9, Rate: 1},
		{Kinds: Kinds(), Connections: 4, Rate: 1}, {Connections: 1, Rate: 1},
	} {
		if _, err := bad.groups(); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// TestTheMarkIsALimitOfSlices cuts a timeline into fewer slices than it has grains.
func TestTheMarkIsALimitOfSlices(t *testing.T) {
	var past, future series
	for at := time.Duration(0); at < 900*time.Millisecond; at += time.Millisecond {
		past.add(at, columnAnswered)
	}
	for at := time.Duration(0); at < 1700*time.Millisecond; at += time.Millisecond {
		future.add(at, columnLost)
	}
	var line timeline
	line.add(past, future, 900*time.Millisecond)
	for _, most := range []int{1000, 60, 20, 2} {
		slices := line.slices(most)
		if len(slices) > most {
			t.Errorf("%d slices, and not %d at most", len(slices), most)
		}
		answered, lost := 0, 0
		for i, s := range slices {
			if i > 0 && slices[i-1].To != s.From {
				t.Errorf("a slice begins at %v, where the last ended at %v", s.From, slices[i-1].To)
			}
			if s.From < 0 && (s.Lost > 0 || s.To > 0) || s.From >= 0 && s.Answered > 0 {
				t.Errorf("the mark is in a slice: %+v", s)
			}
			answered += s.Answered
			lost += s.Lost
		}
		if answered != 900 || lost != 1700 {
			t.Errorf("%d answered and %d lost", answered, lost)
		}
	}
}
