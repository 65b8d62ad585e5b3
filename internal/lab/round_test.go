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

// fewClients is how many clients the tests have.
const fewClients = 8

// small returns a scenario of the table with few clients.
func small(t *testing.T, name string) *scenario {
	t.Helper()
	for _, s := range scenarios {
		if s.name == name {
			s.clients = fewClients
			s.stop = span{ms(5), ms(40)}
			return &s
		}
	}
	t.Fatalf("no scenario %q", name)
	return nil
}

func runFake(t *testing.T, mode string, s *scenario) *Result {
	t.Helper()
	one, err := runner{exitBound: 20 * time.Second}.run(t.Context(), fakeServer(t, mode), s)
	if err != nil {
		t.Fatalf("a round of %s on the %s server: %v", s.name, mode, err)
	}
	r := newResult(cell{s, Patched})
	r.add(one)
	t.Logf("%s on the %s server: %d connections, %d requests, %d lost %v, %d refused, %d executed but unanswered, exit %s, problems %v, faults %v",
		s.name, mode, r.Connections, r.Requests, r.Lost, r.tally.losses, r.Refused, r.ExecutedUnanswered, r.Exit, r.tally.problems, r.tally.faults)
	return r
}

func TestPoliteServerLosesNothing(t *testing.T) {
	for _, name := range []string{"keepalive", "pipeline"} {
		s := small(t, name)
		r := runFake(t, polite, s)
		if r.Lost != 0 || r.ExecutedUnanswered != 0 || r.Exit != "0" {
			t.Errorf("%s: lost %d, executed but unanswered %d, exit %s; want 0, 0 and 0", name, r.Lost, r.ExecutedUnanswered, r.Exit)
		}
		if r.Shutdown.Max <= 0 {
			t.Errorf("%s: a stop took %v s", name, r.Shutdown.Max)
		}
		if len(r.tally.problems)+len(r.tally.faults) > 0 {
			t.Errorf("%s: problems %v, faults %v; want none", name, r.tally.problems, r.tally.faults)
		}
		if n := exceededLimits(judge([]*Result{r})); n > 0 {
			t.Errorf("%s: %d limits exceeded, want none", name, n)
		}
	}
}

// Each client loses exactly the one request that the server takes after the
// signal.
func TestServerThatExecutesWithoutAnsweringIsFound(t *testing.T) {
	s := small(t, "keepalive")
	r := runFake(t, swallow, s)
	if r.Lost != s.clients || r.ExecutedUnanswered != s.clients {
		t.Errorf("keepalive: lost %d, executed but unanswered %d; want %d of both", r.Lost, r.ExecutedUnanswered, s.clients)
	}
	if exceededLimits(judge([]*Result{r})) == 0 {
		t.Error("keepalive: no limit exceeded")
	}

	s = small(t, "pipeline")
	r = runFake(t, swallow, s)
	if r.ExecutedUnanswered != s.clients {
		t.Errorf("pipeline: %d executed but unanswered, want %d", r.ExecutedUnanswered, s.clients)
	}
	if r.Lost < s.clients || r.Lost > batch*s.clients {
		t.Errorf("pipeline: lost %d requests, want one to %d for each of %d clients", r.Lost, batch, s.clients)
	}
	if got := exceededLimits(judge([]*Result{r})); got != 2 {
		t.Errorf("pipeline: %d limits exceeded, want that of lost and that of unanswered requests", got)
	}
}

func TestRunningHandlersCutByTheExitAreLost(t *testing.T) {
	s := small(t, "slow")
	s.handler = span{time.Minute, time.Minute}
	r := runFake(t, quick, s)
	if r.Lost != s.clients || r.ExecutedUnanswered != s.clients {
		t.Errorf("lost %d requests, executed but unanswered %d, want those of all %d clients", r.Lost, r.ExecutedUnanswered, s.clients)
	}
}

func TestConnectionResetInTheAcceptQueueIsLost(t *testing.T) {
	r := runFake(t, unaccepted, small(t, "connect"))
	if r.Lost == 0 {
		t.Error("lost nothing, although the listener was closed with a connection in its queue")
	}
}

func TestLossBeforeTheStopIsAFault(t *testing.T) {
	s := small(t, "greedy")
	r := runFake(t, early, s)
	if len(faultsOf([]*Result{r})) == 0 {
		t.Error("no fault, although connections were cut before the stop")
	}
}

func TestUnsolicitedBytesAreAProblem(t *testing.T) {
	r := runFake(t, timeouts, small(t, "hold"))
	if len(r.tally.problems) == 0 {
		t.Error("no problem, although the server has sent a 408 on idle connections")
	}
	if exceededLimits(judge([]*Result{r})) == 0 {
		t.Error("no limit exceeded")
	}
}

func TestAnswerToAnotherRequestIsAProblem(t *testing.T) {
	r := runFake(t, wrong, small(t, "keepalive"))
	if len(r.tally.problems) == 0 {
		t.Error("no problem, although all responses had a wrong body")
	}
}

func TestServerThatDoesNotEndIsKilled(t *testing.T) {
	one, err := runner{exitBound: 100 * time.Millisecond}.run(t.Context(), fakeServer(t, stuck), small(t, "keepalive"))
	if err != nil {
		t.Fatal(err)
	}
	if one.exit != "killed" || one.executedKnown {
		t.Errorf("exit %q, executed known: %t; want killed, false", one.exit, one.executedKnown)
	}
	r := newResult(cell{small(t, "keepalive"), Patched})
	r.add(one)
	if exceededLimits(judge([]*Result{r})) == 0 {
		t.Error("no limit exceeded by a server that had to be killed")
	}
}

func TestExitCodeIsReported(t *testing.T) {
	r := runFake(t, failing, small(t, "keepalive"))
	if r.Exit != "3" {
		t.Errorf("exit %q, want 3", r.Exit)
	}
	if exceededLimits(judge([]*Result{r})) == 0 {
		t.Error("no limit exceeded by a server that fails")
	}
}

func TestServerThatDoesNotSayWhatItExecutedIsAProblem(t *testing.T) {
	if r := runFake(t, hushed, small(t, "keepalive")); len(r.tally.problems) == 0 {
		t.Error("no problem")
	}
}

func TestServerThatDoesNotStartIsAnError(t *testing.T) {
	_, err := runner{exitBound: time.Second}.run(t.Context(), fakeServer(t, dead), small(t, "keepalive"))
	if err == nil || !strings.Contains(err.Error(), "no bread left") {
		t.Errorf("error %v; want one that quotes the server's standard error", err)
	}
}

func TestInterruptionEndsTheServer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := small(t, "keepalive")
	s.stop = span{time.Hour, time.Hour}
	p, err := process.Start(ctx, fakeServer(t, stuck))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	cancel()
	select {
	case <-p.Exited():
	case <-time.After(20 * time.Second):
		t.Fatalf("the server at %s still runs 20 s after the interruption", p.Addr)
	}

	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := (runner{exitBound: time.Second}).run(ctx, fakeServer(t, polite), s); !errors.Is(err, context.Canceled) {
		t.Errorf("error of an interrupted round: %v, want %v", err, context.Canceled)
	}
}

// An interruption ends the clients and the server, too: it is not their end that is told.
func TestInterruptionBeforeTheClientsAreUnderWay(t *testing.T) {
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		// So many that all is over when the last of them is started.
		s := scenario{name: "interrupting", clients: 500, run: func(*client, *scenario) { cancel() }}
		if _, err := (runner{exitBound: time.Second}).run(ctx, fakeServer(t, polite), &s); !errors.Is(err, context.Canceled) {
			t.Fatalf("error of a round interrupted at its beginning: %v, want %v", err, context.Canceled)
		}
	}
}
