// Package faults makes faults happen to a server that stops, and shows what its
// clients see: of the patched server and of upstream's, from one source.
//
// The command in probe has the faults. The tests build it with both copies of
// fasthttp and with the race detector, run each fault in a process of its own,
// and hold what it saw against what the patched server has to show and against
// docs/faults.md, where upstream's column is that of the last run with -update.
// After each fault the account of the drain adds up, and neither a goroutine nor
// a file descriptor is left.
//
//	go test -C tests ./faults -run 'TestFaults/server/slowloris-head'
//	go test -C tests ./faults -update   # writes docs/faults.md
package faults
