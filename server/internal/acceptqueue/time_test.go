package acceptqueue

import (
	"net"
	"strings"
	"testing"
	"time"
)

// awaitQueue waits until the queue of a socket has a length.
func awaitQueue(t *testing.T, ln *net.TCPListener, n int) {
	t.Helper()
	for end := time.Now().Add(bound); ; time.Sleep(time.Millisecond) {
		if length, _, ok := Length(ln); !ok {
			t.Skip("the length of a queue is not known here")
		} else if length == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the queue does not have %d connections", n)
		}
	}
}

// heldLoop is a loop that is busy with its first connection until release is
// closed, and has n connections in its queue.
func heldLoop(t *testing.T, ln *net.TCPListener, n int) (l *loop, queued []net.Conn, release chan struct{}) {
	t.Helper()
	held := make(chan struct{}, n+1)
	release = make(chan struct{})
	l = startLoop(ln, func() {
		held <- struct{}{}
		<-release
	})
	wantHello(t, dial(t, ln))
	<-held
	for range n {
		queued = append(queued, dial(t, ln))
	}
	awaitQueue(t, ln, n)
	return l, queued, release
}

// The time is up before the accept loop comes to look: it accepts what is in the
// queue by then.
func TestTimeIsUpBeforeTheFirstLook(t *testing.T) {
	const n = 24
	l, queued, release := heldLoop(t, listen(t), n)
	close(l.stop)
	l.q.Open(time.Now().Add(-time.Second), nil, true)
	close(release)
	<-l.ended
	r := l.closed(t)
	for _, c := range queued {
		wantHello(t, c)
	}
	if r.Accepted != n || !r.Emptied {
		t.Errorf("%+v, want %d accepted and the queue emptied", r, n)
	}
}

// lateSocket is one whose first Accept with a deadline comes after it, as on a
// loaded machine.
type lateSocket struct {
	*net.TCPListener
	late bool
}

func (s *lateSocket) SetDeadline(t time.Time) error {
	err := s.TCPListener.SetDeadline(t)
	if !s.late && t.After(time.Now()) {
		s.late = true
		time.Sleep(time.Until(t) + pause)
	}
	return err
}

// That one has accepted nothing, so it does not count for one of those that are in
// the queue when the time is up.
func TestLateAcceptWhenTheTimeIsUp(t *testing.T) {
	ln := listen(t)
	c := dial(t, ln)
	awaitQueue(t, ln, 1)
	l := &loop{ln: ln, q: New(ln, nil), stop: make(chan struct{}), ended: make(chan struct{})}
	s := &lateSocket{TCPListener: ln}
	l.q.sock, l.q.seen = s, s
	close(l.stop)
	l.q.Open(time.Now().Add(-time.Second), nil, true)
	l.run()
	wantHello(t, c)
	if r := l.closed(t); r.Accepted != 1 || !r.Emptied || !s.late {
		t.Errorf("%+v, want one accepted and the queue emptied", r)
	}
}

// An accept loop that does not come back at all leaves a queue that is dropped:
// the report says so, and why.
func TestAcceptLoopThatDoesNotComeBack(t *testing.T) {
	l, _, release := heldLoop(t, listen(t), 1)
	defer close(release)
	close(l.stop)
	l.q.Open(time.Now().Add(10*time.Millisecond), nil, true)
	time.Sleep(20 * time.Millisecond)
	if r := l.closed(t); r.Emptied || !strings.Contains(r.Why, "did not come back in time") {
		t.Errorf("%+v, want the queue not emptied, because the loop did not come back", r)
	}
}

// One that is held up with nothing in the queue is not waited for.
func TestBusyAcceptLoopWithAnEmptyQueue(t *testing.T) {
	l, _, release := heldLoop(t, listen(t), 0)
	defer close(release)
	close(l.stop)
	l.q.Open(time.Now().Add(bound), nil, true)
	select {
	case <-l.q.closed:
	case <-time.After(bound / 2):
		t.Fatal("the listener stays open")
	}
	if r := l.closed(t); !r.Emptied {
		t.Errorf("%+v, want the queue found empty", r)
	}
}

// Nobody waits any longer: the listener is closed, and the report says why.
func TestGivenUpBeforeTheFirstLook(t *testing.T) {
	l, _, release := heldLoop(t, listen(t), 1)
	giveUp := make(chan struct{})
	close(giveUp)
	close(l.stop)
	l.q.Open(time.Now().Add(bound), giveUp, true)
	close(release)
	<-l.ended
	if r := l.closed(t); r.Emptied || !strings.Contains(r.Why, "nobody waited") {
		t.Errorf("%+v, want the queue not emptied, because nobody waited", r)
	}
}
