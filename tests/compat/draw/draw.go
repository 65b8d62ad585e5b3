// Package draw is what the composer draws: a server, what it stands on, and what its
// clients do. A draw is JSON, so that a finding can be kept and repeated.
package draw

import (
	"time"

	"github.com/fastdrain/fastdrain/tests/compat/client"
)

// Draw is one stop.
type Draw struct {
	Server Server `json:"server"`

	// Listeners is how many listeners the server has; the clients take turns.
	Listeners int `json:"listeners"`
	// Listener and Conn are wrappers, the innermost first.
	Listener []string `json:"listener,omitempty"`
	Conn     []string `json:"conn,omitempty"`
	// TLS is where it is, if anywhere: Above all wrappers, Below those of the
	// connection, or ServeTLS.
	TLS string `json:"tls,omitempty"`

	// Context is what the stop may take.
	Context time.Duration `json:"context"`
	// Look has somebody look at the server's connections all the time.
	Look bool `json:"look,omitempty"`

	Clients []client.Script `json:"clients"`
	// Late clients connect and write directly before the stop.
	Late []client.Script `json:"late,omitempty"`
}

// Server is its settings. Those of the drain mean nothing to upstream.
type Server struct {
	ReduceMemoryUsage  bool          `json:"reduceMemoryUsage,omitempty"`
	StreamRequestBody  bool          `json:"streamRequestBody,omitempty"`
	CloseOnShutdown    bool          `json:"closeOnShutdown,omitempty"`
	Concurrency        int           `json:"concurrency,omitempty"`
	MaxConnsPerIP      int           `json:"maxConnsPerIP,omitempty"`
	MaxRequestsPerConn int           `json:"maxRequestsPerConn,omitempty"`
	ReadTimeout        time.Duration `json:"readTimeout,omitempty"`
	WriteTimeout       time.Duration `json:"writeTimeout,omitempty"`
	IdleTimeout        time.Duration `json:"idleTimeout,omitempty"`
	// ConnState takes so long, and GetCertificate.
	ConnState   time.Duration `json:"connState,omitempty"`
	Certificate time.Duration `json:"certificate,omitempty"`

	Reject     bool          `json:"reject,omitempty"`
	ForceClose bool          `json:"forceClose,omitempty"`
	LameDuck   time.Duration `json:"lameDuck,omitempty"`
	FinalRead  time.Duration `json:"finalRead,omitempty"`
	Linger     time.Duration `json:"linger,omitempty"`
	// OnPhase takes so long.
	OnPhase time.Duration `json:"onPhase,omitempty"`
}

// Where TLS may be.
const (
	Above    = "above"
	Below    = "below"
	ServeTLS = "ServeTLS"
)

// Result is what a stop came to.
type Result struct {
	Outcomes []client.Outcome `json:"outcomes"`
	Executed []string         `json:"executed"`
	// DoneFirst are the requests whose RequestCtx.Done was closed when they began.
	DoneFirst []string      `json:"doneFirst,omitempty"`
	Returned  bool          `json:"returned"` // Shutdown has, within its context and some seconds
	Err       string        `json:"err,omitempty"`
	StopAt    int64         `json:"stopAt"` // in Unix nanoseconds
	Took      time.Duration `json:"took"`
	Serving   bool          `json:"serving,omitempty"` // a Serve had not returned then
	Listening bool          `json:"listening,omitempty"`
	Account   string        `json:"account,omitempty"` // "" if it adds up
	Report    string        `json:"report,omitempty"`
	// Slow is by how much a timer was late, at most.
	Slow time.Duration `json:"slow"`
}

// ConnWrappers and ListenerWrappers are the names that there are.
var (
	ConnWrappers = []string{
		"counting", "deadline", "header", "addr", "slow-close", "value", "nil", "buffered", "ignoring", "hidden", "one-byte",
	}
	ListenerWrappers = []string{"pointer", "value", "nil", "hidden", "limit", "patient", "slow-close", "stuck-close", "failing"}
)

// Header is what a connection begins with if one of its wrappers is "header" or "addr".
const Header = "PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n"

// Blocking is how long a Close takes that blocks, and Stuck how long one that is stuck.
const (
	Blocking = 300 * time.Millisecond
	Stuck    = 2500 * time.Millisecond
)
