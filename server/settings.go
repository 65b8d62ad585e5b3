package fasthttp

import "time"

// Defaults of the durations in [Drain].
const (
	// DefaultFinalRead is the window of a single connection, from when it comes
	// to wait after the stop, if [Drain.FinalRead] is zero. For how long those
	// are kept that waited at the stop, see there.
	DefaultFinalRead = 500 * time.Millisecond

	// DefaultLinger is how long a closed connection lingers if
	// [Drain.Linger] is zero. A lingering close waits for what is in flight,
	// so the limit has to cover a round trip and the peer's reaction to FIN.
	// Measured with 100 clients that kept sending, over links of 20 and 100 ms:
	// resets up to a limit of one round trip, none from one and a quarter on.
	DefaultLinger = 500 * time.Millisecond
)

// lingerBytes limits what a lingering close reads and throws away, of a sender
// that ignores FIN. From there on it only waits, at most until its time is up,
// for the peer to acknowledge what it was sent: the RST of a close with unread
// bytes takes back what is unsent, but nothing that the peer's kernel has.
const lingerBytes = 16 << 20

// Drain says how [Server.Shutdown] stops a Server. The zero value is the
// recommended setting; all fields may be left alone.
//
// A field must not be changed after Shutdown has been called. In a duration
// zero means the default and a negative value means none.
type Drain struct {
	// OnPhase is called at each change of the drain's phase, in order, one call
	// after the other, with no lock held. The drain waits for it to return, so it
	// should be quick: log, flip a readiness flag. When the context of Shutdown
	// ends it waits no longer, and the calls that are left follow when the one
	// that blocks has returned. It must not call Shutdown or Serve, which would
	// wait for the drain.
	OnPhase func(DrainPhase)

	// LameDuck is how long the Server goes on accepting after Shutdown was
	// called, while [Server.Ready] is already false and responses say
	// 'Connection: close'. It is for load balancers that need some time to
	// see that an instance is not ready. The default is 0: no lame duck.
	LameDuck time.Duration

	// FinalRead is the final-read window: how long a keep-alive connection
	// is still read after the stop. A request that arrives within it is
	// served, and its response says 'Connection: close'.
	//
	// By default, zero, connections that wait for a request are kept as long
	// as requests still come on such connections, and closed when that has
	// gone quiet: after half a second if none is used, after 3 s at the latest.
	// docs/window.md has the rule, and what it loses and takes. A positive
	// value is a window of that length for all, for those who know the pauses
	// of their clients. Either ends when half of what the context left at the
	// stop is over. At its end the connections are closed one after the other,
	// 10 us apart, all within 200 ms.
	//
	// A connection whose request was running at the stop, or that was accepted
	// from a queue, has a window of its own first, of this length or
	// [DefaultFinalRead], from when it comes to wait.
	//
	// Negative means no window: what waits closes after the last look, and the
	// next response says 'Connection: close'.
	FinalRead time.Duration

	// Linger limits how long a connection closed by a drain is read after its
	// half-close, until the peer's FIN. Closing with unread bytes makes the
	// kernel send RST (RFC 2525 section 2.17), which may destroy the last
	// response on its way. The default is [DefaultLinger]; negative closes
	// directly after the half-close.
	Linger time.Duration

	// Reject answers the requests of final reads with 503 and
	// 'Connection: close' instead of serving them: one 503 for a connection,
	// whatever it has pipelined. For services whose clients retry, and whose
	// handlers must not begin anything after the stop.
	Reject bool

	// RetryAfter is what the 503 of Reject says in Retry-After, in whole seconds,
	// rounded up (RFC 9110 section 10.2.3). The default is 1 s, as another
	// instance may answer at once; negative leaves the field out.
	RetryAfter time.Duration

	// Hijacked is how long Shutdown waits for hijack handlers (WebSockets) to
	// return after the last other connection has closed, within its context. The
	// RequestCtx.Done of their requests is closed by then. By default it does
	// not wait, as upstream and net/http do not. What has not returned is in the
	// account, [DrainReport.HijackedLeft], and keeps no drain from being graceful.
	// docs/streams.md says what to write in the handler.
	Hijacked time.Duration

	// ForceClose closes the connections that are left when the context of
	// [Server.ShutdownWithContext] ends. By default they are left open, and
	// close after their current response.
	ForceClose bool
}

// orDefault resolves a duration of [Drain]: zero is def, negative is 0.
func orDefault(d, def time.Duration) time.Duration {
	switch {
	case d == 0:
		return def
	case d < 0:
		return 0
	}
	return d
}
