// Package client runs scripts against a server: what a client writes and when, before
// and after the stop. The table of situations and the composer share it, so that
// both mean the same by answered, lost and reset.
package client
