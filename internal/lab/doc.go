// Package lab stops servers under load and counts what their clients lose.
//
// It builds three servers as real processes: examples/hello against upstream's
// fasthttp and against the patched copy (the same source, another modfile), and
// examples/nethttp for orientation. A round starts one of them, lets the clients
// of a scenario work on it over real TCP, sends SIGTERM at a random moment, waits
// for the process to exit, and counts.
//
// The counts are those of the clients, which are strict about what they call a
// loss and fair about what they do not:
//
//   - A request is lost when it was written on an established connection and no
//     complete response to it came back. A client looks for FIN directly before
//     it reuses a connection, so a request is only written where a careful HTTP
//     client would have written it.
//   - A connection that is found closed before the write, and a connection that
//     is refused, cost nothing but a reconnect. Refusals are counted apart.
//   - A request is executed but unanswered when its handler ran (the server
//     counts that) and no complete response to it came back.
//
// Before the stop nothing may be lost. If something is, the lab itself is not to
// be trusted, and the run fails and says so.
package lab
