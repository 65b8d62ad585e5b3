// Package hot has the workloads that the request path is measured with, in one
// process and without a socket, so that what is measured is the server and not
// the kernel.
//
// The same sources are compiled against upstream's fasthttp and against the
// patched copy. They use the public API only, and the connections are their
// own, so both sides do exactly the same work around the server.
//
//	go test -C bench -bench . ./hot
//
// measures the patched copy alone; `make bench` measures both.
package hot
