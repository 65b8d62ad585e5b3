package compat

import (
	"slices"
	"strings"

	"github.com/fastdrain/fastdrain/tests/compat/client"
	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

// knownFaults are what the composer finds and is to be mended. They are counted, and
// do not fail the test.
var knownFaults = []struct {
	why  string
	find func(d draw.Draw, bad string) bool
}{
	{
		"Done is closed from the start for the first request of a connection that is not woken at the stop: of an unknown wrapper, or in its TLS handshake",
		func(d draw.Draw, bad string) bool {
			return (d.TLS != "" || len(d.Conn) > 0) && strings.Contains(bad, "RequestCtx.Done was closed before")
		},
	},
	{
		"data races of a handshake at the stop: stopAt is read before mode, and a deadline is set when the record has ended",
		func(d draw.Draw, bad string) bool {
			return strings.HasPrefix(bad, crashed) && strings.Contains(bad, "DATA RACE") && strings.Contains(bad, "(*handshakeConn)")
		},
	},
	{
		"ReduceMemoryUsage and no window: what was in the accept queue is closed without a look",
		func(d draw.Draw, bad string) bool {
			return d.Server.ReduceMemoryUsage && d.Server.FinalRead < 0 && strings.HasPrefix(bad, "just connected: l") && strings.Contains(bad, "is not answered")
		},
	},
	{
		"CloseOnShutdown: a streamed body whose rest is still to come keeps close off the response of a handler that leaves it",
		func(d draw.Draw, bad string) bool {
			return d.Server.StreamRequestBody && d.Server.CloseOnShutdown && strings.HasPrefix(bad, "uploading: the last response does not say close")
		},
	},
	{
		"CloseOnShutdown: line ends in the socket keep close off the response; those in the buffer do not",
		func(d draw.Draw, bad string) bool {
			return d.Server.CloseOnShutdown && strings.Contains(bad, "does not say close") &&
				(has(d, func(s client.Script) bool { return after(s, lineEnd) }) || slices.Contains(d.Conn, "one-byte"))
		},
	},
	{
		"line ends, or half a head, on a connection whose Read does not obey SetReadDeadline hold the stop to its context's end",
		func(d draw.Draw, bad string) bool {
			deaf := slices.Contains(d.Conn, "deadline") || slices.Contains(d.Conn, "ignoring")
			return deaf && (strings.Contains(bad, "left open") || strings.Contains(bad, "deadline exceeded")) &&
				has(d, func(s client.Script) bool { return after(s, lineEnd) || after(s, halfHead) || s.State == "posting on" })
		},
	},
}

// has says whether one of the clients is such.
func has(d draw.Draw, such func(client.Script) bool) bool {
	return slices.ContainsFunc(d.Clients, such)
}

// after says whether a client sends such bytes after the stop.
func after(s client.Script, bytes string) bool {
	stopped := false
	for _, step := range s.Steps {
		stopped = stopped || step.Op == client.Stop
		if stopped && step.Bytes == bytes {
			return true
		}
	}
	return false
}

// unknown leaves out of what is bad what is known, and counts that.
func unknown(d draw.Draw, bad []string, count map[string]int) (left []string) {
	return slices.DeleteFunc(bad, func(b string) bool {
		for _, k := range knownFaults {
			if k.find(d, b) {
				count[k.why]++
				return true
			}
		}
		return false
	})
}
