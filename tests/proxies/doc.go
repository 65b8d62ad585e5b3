// Package proxies stops servers behind software that others wrote: nginx and
// HAProxy with rolling restarts of two instances, and curl, wrk and Go's
// http.Transport through a stop.
//
// The servers are examples/hello, with upstream's fasthttp as the control and
// with the patched copy. Where the client or the proxy retries nothing, a new
// process shares the port of the one that it replaces (SO_REUSEPORT) and listens
// before that one gets SIGTERM. So there is no moment at which a connection is
// refused, which would be clean at the server but an error at the outside, for
// either server alike. What is counted is what the stopped process had accepted,
// or its kernel for it.
//
// It needs Debian's packages nginx, haproxy, curl and wrk, and installs them if
// it can.
package proxies
