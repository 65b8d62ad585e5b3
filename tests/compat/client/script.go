package client

import "time"

// Op is what a step of a script does.
type Op string

// The operations. Each that waits is bounded by the client's patience.
const (
	Send    Op = "send"    // write Bytes, which complete the requests IDs
	Trickle Op = "trickle" // the same, one byte a write
	Answers Op = "answers" // await the answer to N requests
	Running Op = "running" // await that the handler of the request IDs[0] runs
	Stop    Op = "stop"    // await the stop, and After from there on
	Half    Op = "half"    // close the writing side
	Reset   Op = "reset"   // close with RST
	Leave   Op = "leave"   // close
	Pause   Op = "pause"   // wait After
)

// ServerName is what clients ask for in a TLS handshake.
const ServerName = "service.example"

// Step is one step of a script.
type Step struct {
	Op    Op            `json:"op"`
	Bytes string        `json:"bytes,omitempty"`
	Body  int           `json:"body,omitempty"` // so many bytes of a body before Bytes
	IDs   []string      `json:"ids,omitempty"`
	N     int           `json:"n,omitempty"`
	After time.Duration `json:"after,omitempty"`
}

// textFrame begins a message of a WebSocket that is a text in one frame.
const textFrame = 0x81

// Message is a text as a client of a WebSocket sends it (RFC 6455 section 5.2), masked
// with zeros. It has at most 125 bytes.
func Message(text string) string {
	return string([]byte{textFrame, 0x80 | byte(len(text)), 0, 0, 0, 0}) + text
}

// Script is what one client does on one connection. It reads answers all the time.
type Script struct {
	// State names what the client is about, for reports.
	State string `json:"state"`
	// First is written before anything else, below TLS: a PROXY header.
	First string `json:"first,omitempty"`
	// Hello is how many bytes of the TLS handshake are written before the stop;
	// the rest follows after it. Zero is all; negative is all, of a server that does
	// not answer before the stop.
	Hello int `json:"hello,omitempty"`
	// TLS has the client make a handshake.
	TLS   bool   `json:"tls,omitempty"`
	Steps []Step `json:"steps"`
}

// Answer is one response.
type Answer struct {
	ID     string `json:"id"`
	Status int    `json:"status"`
	Close  bool   `json:"close,omitempty"`
	At     int64  `json:"at"` // when it was read, in Unix nanoseconds
}

// How a connection ended, as its client saw it.
const (
	FIN     = "FIN"
	RST     = "RST"
	Open    = "open" // it had not ended when the client's patience had
	Own     = "left" // the client ended it
	Refused = "refused"
	Failed  = "failed" // in another way; the error is in Outcome.Error
)

// Outcome is what became of a script.
type Outcome struct {
	State   string   `json:"state"`
	Sent    []string `json:"sent"` // requests that were written completely
	Answers []Answer `json:"answers"`
	End     string   `json:"end"`
	Error   string   `json:"error,omitempty"`
	// Cut says that the connection ended inside an answer.
	Cut bool `json:"cut,omitempty"`
	// Lag is how late the client was with a step, at most: what the machine did to it.
	Lag time.Duration `json:"lag"`
}

// Answered says whether a request has got an answer.
func (o Outcome) Answered(id string) bool {
	for _, a := range o.Answers {
		if a.ID == id {
			return true
		}
	}
	return false
}
