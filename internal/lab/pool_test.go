//go:build unix

package lab

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fastdrain/fastdrain/internal/process"
)

// Clients of a pool find the connections that others put back, and lose one that
// the server cuts as any client does.
func TestClientsShareAPool(t *testing.T) {
	for _, name := range []string{"pool", "pool-first"} {
		s := small(t, name)
		s.think = span{0, ms(5)}
		r := runFake(t, polite, s)
		if r.Lost != 0 || len(r.tally.problems)+len(r.tally.faults) > 0 {
			t.Errorf("%s: lost %d, problems %v, faults %v; want none", name, r.Lost, r.tally.problems, r.tally.faults)
		}
		if r.Connections < s.clients || r.Requests < 2*r.Connections {
			t.Errorf("%s: %d connections for %d requests; want one for each of %d clients, used again", name, r.Connections, r.Requests, s.clients)
		}
		if r := runFake(t, swallow, s); r.Lost != s.clients {
			t.Errorf("%s: lost %d, want one on each of %d connections", name, r.Lost, s.clients)
		}
	}
}

// A client that never looks for FIN loses what it writes on a closed connection, be
// it after the server has gone.
func TestDeafClientsLoseWhatTheyWriteOnAClosedConnection(t *testing.T) {
	s := small(t, "deaf")
	s.think = span{time.Hour, time.Hour}
	if r := runFake(t, quick, s); r.Lost != s.clients {
		t.Errorf("lost %d requests, want one of each of %d clients", r.Lost, s.clients)
	}
}

func TestLoadOfOthers(t *testing.T) {
	stop := func(work func(context.Context, Site) (Counts, error)) (*Result, error) {
		l := Load{Name: "others", Work: work}
		one, err := runner{exitBound: 20 * time.Second}.run(t.Context(), fakeServer(t, polite), l.scenario())
		if err != nil {
			return nil, err
		}
		r := newResult(cell{l.scenario(), Patched})
		r.add(one)
		return r, nil
	}
	work := func(err error) func(context.Context, Site) (Counts, error) {
		return func(ctx context.Context, s Site) (Counts, error) {
			s.UnderWay()
			<-s.Stopping
			<-ctx.Done()
			return Counts{Connections: 4, Requests: 3, Answered: 0, Lost: 2, Refused: 1, Losses: map[string]int{"gone": 2}}, err
		}
	}
	r, err := stop(work(nil))
	if err != nil {
		t.Fatal(err)
	}
	if r.Connections != 4 || r.Requests != 3 || r.Lost != 2 || r.Refused != 1 || !strings.Contains(r.Losses(), "2 x gone") || r.Exit != process.ExitClean {
		t.Errorf("the result %+v is not what was counted", r)
	}
	if trust([]*Result{r}) != nil {
		t.Errorf("faults: %v", r.tally.faults)
	}
	if r, err = stop(work(errors.New("no clients today"))); err != nil {
		t.Fatal(err)
	}
	if err := trust([]*Result{r}); err == nil || !strings.Contains(err.Error(), "no clients today") {
		t.Errorf("an error of the load: %v", err)
	}
	_, err = stop(func(context.Context, Site) (Counts, error) { return Counts{}, errors.New("no interpreter") })
	if err == nil || !strings.Contains(err.Error(), "no interpreter") {
		t.Errorf("a load that does not get under way: %v", err)
	}
}
