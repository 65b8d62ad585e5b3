// Package streams restarts servers of WebSockets and of event streams, as processes,
// under clients of Go, npm and curl: each WebSocket has to close in order, and each
// event that was written has to come.
package streams
