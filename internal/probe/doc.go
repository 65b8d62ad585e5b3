// Package probe loads an HTTP/1.1 server while it is stopped or replaced, and says
// which requests were lost, when, on what kind of connection, and why.
//
// The server is any program in any language: one that the probe starts, stops with
// a signal and starts anew, or one at a URL that somebody else restarts meanwhile.
//
// The clients are raw connections, as only they see the difference between FIN and
// RST, and as http.Client's own retries would hide what is lost. They are careful:
// directly before a connection is used again they look whether the server has
// closed it. What they count is what package lab counts:
//
//   - A request is lost when it was written on an established connection, before a
//     response on it said `Connection: close`, and no complete response came back.
//   - A connection that is found closed before the write costs nothing. One that is
//     refused is counted apart.
//
// Times are taken from the mark: the instant directly before the signal, or before
// the command that replaces the server.
package probe
