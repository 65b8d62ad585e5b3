package fasthttp

import (
	"net"
	"time"
)

// deafGrace is the time between two looks for connections that should have
// noticed the end of their window. One that has not at two looks running is
// closed: its Read does not obey a deadline that is set while it waits.
const deafGrace = 200 * time.Millisecond

// deafShare is the part of the context that such a look may take: there are two, and
// a linger.
const deafShare = 8

// beginLooks looks from time to time for connections that do not obey their deadline,
// and closes them; also while a listener that blocks is closed. end ends that, and
// waits until it has ended.
func (s *Server) beginLooks(d *drain) (end func()) {
	look := time.NewTicker(max(time.Millisecond, min(deafGrace, d.contextLeft(time.Now())/deafShare)/2))
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer look.Stop()
		for deaf := false; ; deaf = !deaf {
			select {
			case <-quit:
				return
			case now := <-look.C:
				closeAll(s.deafConns(d, now, deaf))
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

// deafConns are connections to close from outside: those whose patience is over, and
// with deaf those that two such looks have found late.
func (s *Server) deafConns(d *drain, now time.Time, deaf bool) (conns []net.Conn) {
	s.connTable().eachShard(func(sh *connShard) {
		for dc := sh.first; dc != nil; dc = dc.next {
			if dc.endPatience(now) {
				conns = append(conns, dc.abort())
			}
			if !deaf || dc.cut != cutNot {
				continue
			}
			// A socket obeys its deadlines: one that is late waits for the machine, or
			// for code of the application. Two looks, as a loop that has just gone
			// idle has not noted yet when its window ends.
			sock, _ := stream(dc.Conn)
			late := sock == nil && now.After(dc.noticeBy(d))
			if late && dc.overdue {
				// An unknown wrapper that has noticed the stop, but sets deadlines of
				// its own, ends as with upstream.
				if known(dc.Conn) || !dc.stopSeen {
					dc.cut = cutForced
				}
				conns = append(conns, dc.abort())
			}
			dc.overdue = late
		}
	})
	return conns
}
