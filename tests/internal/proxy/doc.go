// Package proxy runs nginx and HAProxy for tests: in front of a service, with
// connections to it that they keep and use again.
//
// They listen on a Unix socket, which no other process can have as it could have
// a port, and which is there in every network namespace. What they say about a
// request is in its response: 200 is the service's own, 503 is HAProxy's and 502
// with "-" in [ConnectTime] nginx' word for a connection that was refused, every
// other 502 means that the service has not answered a request.
package proxy

// ConnectTime is the header field in which nginx says how long it took to connect
// to the service: 0.000 on a connection that was there already.
const ConnectTime = "X-Upstream-Connect-Time"
