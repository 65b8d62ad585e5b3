// Package drainrun runs a server until its process is told to stop, and then
// stops it without losing a request: the part of a service's main function
// between "listen" and "exit".
//
// What it takes care of, because it is often got wrong:
//
//   - The signals are asked for before the server listens, so that one which
//     comes early is not lost.
//   - main does not return when Serve does, which is 5 s after the stop at the
//     latest, while the drain may take longer.
//   - The drain has a deadline, and a second signal ends the wait.
//   - The account of the drain is in the log, and the exit code says whether it
//     was graceful.
//
// It needs nothing but the standard library and this module.
package drainrun
