// Package window stops servers over a link of 20 ms round trip while clients use
// their connections now and then, and counts what is lost when those that wait are
// closed: upstream's server and the patched one with its default settings, in turn.
//
// The clients are those of `fastdrain lab`, and pools that others wrote: Go's
// http.Transport, Node's http.Agent, nginx and HAProxy. They look for FIN before
// they use a connection again, but for those that are there because they do not.
//
// # Slow or stuck
//
// While a server stops, a timer of this process rings every few milliseconds. How
// late it was at worst is what the machine did to everybody. A time limit is
// extended by a multiple of that: a stop that is longer still, although timers came
// when they were due, hangs.
//
// It needs Linux, root and /dev/net/tun; Debian's packages nginx, haproxy, nodejs
// and python3, which it installs if it can.
package window
