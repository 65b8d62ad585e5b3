package fasthttp

import (
	"time"

	"github.com/valyala/fasthttp/internal/window"
)

// This file has the drain's side of the window, on a goroutine of its own: see
// waiting.go for the connections' side.

// windowPause is the least pause between two closes at the end of a window: what
// is due by then is closed at once. A timer is not more exact.
const windowPause = time.Millisecond

// windowReport is how the window of what waited ended; guarded by drain.mu.
type windowReport struct {
	reason window.Reason
	took   time.Duration
}

// runWindow keeps what waits as long as requests come (see internal/window), and
// closes it then. It runs from the stop to the end of the drain.
func (s *Server) runWindow(d *drain) {
	defer close(d.windowEnded)
	if d.finalRead == 0 {
		return // it was over at the stop
	}
	w := window.New(d.set.FinalRead)
	waited := time.Duration(0) // when something was seen to wait
	for {
		now := window.Look{
			Elapsed: time.Since(d.stopAt),
			Left:    d.contextLeft(d.stopAt),
			Uses:    int(d.uses.Load()),
			Waiting: int(d.waiting.Load()),
		}
		if now.Waiting > 0 {
			waited = now.Elapsed
		}
		reason, next := w.Look(now)
		if next > 0 && d.windowSleep(next) {
			continue
		}
		if next > 0 && d.givenUp() {
			reason = window.Context
		} else if next > 0 {
			reason = window.Empty // nothing is left
		}
		pace := w.Pace(now.Waiting, now.Left)
		d.closedBy = time.Now().Add(time.Duration(now.Waiting) * pace)
		d.mu.Lock()
		if reason != window.Empty {
			waited = time.Since(d.stopAt)
		}
		d.window = windowReport{reason, waited}
		d.mu.Unlock()
		d.over.Store(true)
		s.wakeParked(d, pace)
		return
	}
}

// windowSleep waits, and says whether the drain goes on.
func (d *drain) windowSleep(t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.windowQuit:
		return false
	}
}

// wakeParked wakes what is parked, for its last look, one connection every pace.
func (s *Server) wakeParked(d *drain, pace time.Duration) {
	begun, woken := time.Now(), 0
	wake := func(sh *connShard) (all bool) {
		sh.mu.Lock()
		defer sh.mu.Unlock()
		for dc := sh.first; dc != nil; dc = dc.next {
			switch {
			case !dc.parked, dc.patient(time.Now()):
			case pace > 0 && time.Duration(woken)*pace > time.Since(begun):
				return false
			default:
				dc.parked = false
				woken++
				if d.pauseWake != nil {
					d.pauseWake()
				}
				dc.interrupt()
			}
		}
		return true
	}
	t := s.connTable()
	for i := range t.shards {
		for !wake(&t.shards[i]) {
			if !d.windowSleep(windowPause) {
				pace = 0
			}
		}
	}
}
