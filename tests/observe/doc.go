// Package observe tests what an operator sees: a real Prometheus scrapes patched
// servers through stops, good and bad ones, and is asked what the dashboard and
// the alert rules ask.
//
// The numbers are compared at points where the clients are parked: each of them
// waits, and the server has settled. What Prometheus says of a scrape that began
// after that is compared with what the clients know, and not with what the server
// says of itself.
//
// It needs Debian's prometheus package: make tools.
package observe
