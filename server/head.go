package fasthttp

import (
	"bufio"
	"bytes"
	"time"
)

// awaitHead waits for the head of a request that began after the stop: until a
// second after the connection's window at most, and as long as the context leaves
// time, whatever ReadTimeout says. Line ends before it are skipped (RFC 9112 section
// 2.2): they are no request, and get no more than the window. Responses that are in
// bw are flushed before it waits. It says false when it has closed the connection,
// as nothing else came; a head that is too long, or an error, is upstream's.
func (dc *drainConn) awaitHead(br *bufio.Reader, bw *bufio.Writer) bool {
	last := time.Now().Add(max(leastTime, dc.d.rest(time.Hour)))
	by := earlier(dc.windowEnd().Add(partRead), last)
	upstreams := false // its own deadline comes before, where it is obeyed
	if t := dc.d.s.ReadTimeout; t > 0 && time.Now().Add(t).Before(by) {
		sock, _ := stream(dc.Conn)
		by, upstreams = time.Now().Add(t), known(dc.Conn) && !blocks(sock)
	}
	set, skipped := time.Time{}, 0
	defer dc.headBy(time.Time{})
	for {
		head, _ := br.Peek(br.Buffered())
		if n := lineEnds(head); n > 0 {
			_, _ = br.Discard(n)
			head = head[n:]
			skipped += n
		}
		if len(head) > 0 && upstreams || len(head) == br.Size() || bytes.Contains(head, []byte("\n\r\n")) || bytes.Contains(head, []byte("\n\n")) {
			break
		}
		end := by
		if len(head) == 0 && skipped > 0 { // or the first byte is not in br yet
			end = earlier(dc.windowEnd(), last)
		}
		if end != set {
			if bw != nil && bw.Flush() != nil {
				break
			}
			set = end
			dc.headBy(end)
		}
		if dc.Conn.SetReadDeadline(dc.readBy(end)) != nil {
			break
		}
		if _, err := br.Peek(len(head) + 1); isTimeout(err) {
			_, _ = br.Discard(br.Buffered()) // which is no complete request
			_ = dc.closeIdle()
			return false
		} else if err != nil {
			break
		}
	}
	return true
}

// headBy notes until when the loop waits for a head, for a Read that does not obey
// its deadline; zero if it does not wait.
func (dc *drainConn) headBy(t time.Time) {
	dc.shard.mu.Lock()
	defer dc.shard.mu.Unlock()
	dc.head = 0
	if !t.IsZero() {
		dc.head = dc.d.afterStop(t)
	}
}

// skipLineEnds empties a reader that holds line ends and nothing else: as part of a
// request they would be waited for in a Read that nothing interrupts.
func skipLineEnds(br *bufio.Reader) {
	if br != nil && !holdsRequest(br) {
		_, _ = br.Discard(br.Buffered())
	}
}

// lineEnds counts the bytes of the line ends that b begins with.
func lineEnds(b []byte) int { return len(b) - len(bytes.TrimLeft(b, "\r\n")) }

// beginsRequest says whether what was thrown away begins as a request does, with line ends
// before it or without: with a byte of a method (RFC 9110 section 5.6.2), and not as a
// TLS record.
func beginsRequest(b []byte) bool {
	n := lineEnds(b)
	return n < len(b) && b[n] > ' '
}

// holdsRequest says whether br holds the beginning of a request.
func holdsRequest(br *bufio.Reader) bool {
	if br == nil || br.Buffered() == 0 {
		return false
	}
	b, _ := br.Peek(br.Buffered())
	return lineEnds(b) < len(b)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
