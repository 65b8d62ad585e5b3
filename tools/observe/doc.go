// Package observe runs a real Prometheus over servers on this machine and asks it
// what the dashboard asks. The tests, make watch and the picture of the dashboard
// share it.
//
// It guarantees that
//
//   - a Prometheus that it started listens on loopback only, keeps its data in the
//     directory that it was given, and is gone after Stop: it is ended by its
//     process id;
//   - [Prometheus.Scraped] returns a time at which all series of a target are of
//     one scrape that began after the call, so that a number can be compared with
//     what the target knew then.
package observe
