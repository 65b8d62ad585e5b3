// Package probe holds what `fastdrain probe` says against what is known: servers with
// faults that count themselves what they do to their clients, and servers that others
// wrote (net/http, Node, Python, nginx), whose ways of a stop are known.
//
// The short run takes the servers with faults and the two variants of fasthttp; -full
// adds all others, and installs what it needs of them where it can.
package probe
