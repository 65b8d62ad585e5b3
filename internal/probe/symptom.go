package probe

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// The ways in which a request goes wrong, as a client sees it.
const (
	Reset   = "reset"   // RST on the connection, or a write to a connection that is no more
	Closed  = "closed"  // FIN before the first byte of the response
	Cut     = "cut"     // FIN or RST in the response
	Timeout = "timeout" // no complete response in time
	Behind  = "behind"  // in a pipeline, behind a response that said `Connection: close`
	Broken  = "broken"  // what came is no HTTP/1.1 response

	Failed  = "failed"  // answered completely with a status of 500 and above
	Wrong   = "wrong"   // answered completely, but not with the text that was expected
	Refused = "refused" // no connection: refused, or nobody answered
)

// symptom is the way in which a request got lost. Begun says that the response had.
func symptom(err error, begun bool) string {
	var timeout net.Error
	// ECONNRESET and EPIPE; or what makes the kernel give up a connection, such as an
	// answer of a router that there is no way.
	var errno syscall.Errno
	reset := errors.As(err, &errno)
	ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	case begun && (reset || ended):
		return Cut
	case reset:
		return Reset
	case ended:
		return Closed
	default:
		return Broken
	}
}
