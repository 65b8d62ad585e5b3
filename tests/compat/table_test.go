package compat

import (
	"fmt"
	"time"

	"github.com/fastdrain/fastdrain/tests/compat/client"
)

const proxyHeader = "PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n"

// situations is the table. Where nothing else is said the clients are in all states:
// two each unused, in the head of a request, idle, running and with a pipeline of
// four, and over TLS two in the handshake; and eight in the accept queue.
func situations() (table []situation) {
	add := func(s situation) {
		if s.clients == nil {
			s.clients = all()
		}
		if s.tls && s.stand != "slow-certificate" {
			s.clients, s.queued = overTLS(s.clients), overTLS(s.queued)[:len(s.queued)]
		}
		s.clients, s.queued = behind(s.first, s.clients), behind(s.first, s.queued)
		if s.stand == "reuseport" {
			s.clients = leaving(s.clients)
		}
		if s.tls {
			s.name += "-tls"
		}
		table = append(table, s)
	}
	both := func(s situation) {
		add(s)
		s.tls = true
		add(s)
	}
	both(situation{name: "plain", stand: "plain", what: "a listener of net", queued: queue(8), fenced: true})
	both(situation{name: "close-on-shutdown", stand: "close-on-shutdown", what: "the same, CloseOnShutdown set", fenced: true})
	both(situation{name: "reduce-memory", stand: "reduce-memory", what: "the same, ReduceMemoryUsage set", fenced: true})
	both(situation{name: "proxyproto", stand: "proxyproto", what: "pires/go-proxyproto, header first", first: proxyHeader, queued: queue(8), fenced: true})
	add(situation{name: "proxyproto-header", stand: "proxyproto", what: "the same, the header comes after the stop", clients: append(
		behind(proxyHeader, []client.Script{runs("c")}), header("a", proxyHeader), header("b", proxyHeader),
	)})
	both(situation{name: "proxyproto-require", stand: "proxyproto-require", what: "the same, policy REQUIRE", first: proxyHeader, queued: queue(8), fenced: true})
	add(situation{name: "proxyproto-ignore", stand: "proxyproto-ignore", what: "the same, policy IGNORE", first: proxyHeader, queued: queue(8), fenced: true})
	both(situation{name: "timeouts", stand: "timeouts", what: "connections with a deadline of their own for each Read and Write", queued: queue(8), fenced: true})
	add(situation{name: "autocert", stand: "autocert", what: "autocert with the certificate in its cache", tls: true, queued: queue(8), fenced: true})
	both(situation{name: "limit", stand: "limit", what: "netutil.LimitListener", queued: queue(8), fenced: true})
	add(situation{name: "limit-reached", stand: "limit-reached", what: "the same at its limit, clients in the accept queue", clients: []client.Script{
		runs("a"), runs("b"),
	}, queued: queue(4)})
	both(situation{name: "tcplisten", stand: "tcplisten", what: "valyala/tcplisten, SO_REUSEPORT", queued: queue(8), fenced: true})
	both(situation{name: "cmux", stand: "cmux", what: "soheilhy/cmux, an echo protocol on the same port", clients: []client.Script{
		runs("a"), runs("b"), pipelined("c"), idle("d"), idle("e"),
	}})
	both(situation{name: "reuseport", stand: "reuseport", what: "fasthttp/reuseport, a sibling on the same port serves on", clients: []client.Script{
		runs("a"), runs("b"), pipelined("c"), idle("d"), idle("e"),
	}})
	add(situation{name: "slow-certificate", stand: "slow-certificate", what: "GetCertificate takes 900 ms, as autocert's may, and runs at the stop", tls: true, clients: secret([]client.Script{
		queued("a"), queued("b"), runs("c"),
	})})
	add(situation{name: "slow-certificate-half", stand: "slow-certificate", what: "the same, half of the ClientHello before the stop", tls: true, clients: secret([]client.Script{
		handshake("a"), handshake("b"), runs("c"),
	})})
	both(situation{name: "fiber", stand: "fiber", what: "Fiber v3", queued: queue(8), fenced: true})
	add(situation{name: "fiber-hooks", stand: "fiber-hooks", what: "Fiber v3 with hooks round its shutdown", fenced: true})
	add(situation{name: "fiber-timeout", stand: "fiber-timeout", what: "Fiber v3, ShutdownWithTimeout", fenced: true})
	both(situation{name: "fiber-graceful", stand: "fiber-graceful", what: "Fiber v3, GracefulContext, main ends when Listen returns", fenced: true})
	both(situation{name: "fiber2", stand: "fiber2", what: "Fiber v2", fenced: true})
	add(situation{name: "fiber2-timeout", stand: "fiber2-timeout", what: "Fiber v2, ShutdownWithTimeout", fenced: true})
	add(situation{name: "router", stand: "router", what: "fasthttp/router", fenced: true})
	add(situation{name: "atreugo", stand: "atreugo", what: "savsgio/atreugo, GracefulShutdown", kind: addressed, fenced: true})
	both(situation{name: "websocket", stand: "websocket", what: "fasthttp/websocket, two WebSockets that talk on during the stop beside plain requests", fenced: true, clients: talking()})
	both(situation{name: "fiber-websocket", stand: "fiber-websocket", what: "the same with gofiber/contrib/v3/websocket", fenced: true, clients: talking()})
	both(situation{name: "prefork", stand: "prefork", what: "fasthttp/prefork, SIGTERM to all", kind: group, clients: busy()})
	add(situation{name: "prefork-reuseport", stand: "prefork-reuseport", what: "the same, SO_REUSEPORT", kind: group, clients: busy()})
	add(situation{name: "fiber-prefork", stand: "fiber-prefork", what: "Fiber v3 prefork, SIGTERM to all", kind: group, clients: busy(), endsFirst: true})
	add(situation{name: "fiber2-prefork", stand: "fiber2-prefork", what: "Fiber v2 prefork, SIGTERM to all", kind: group, clients: busy(), endsFirst: true})
	both(situation{name: "tableflip", stand: "tableflip", what: "cloudflare/tableflip, the successor serves on", kind: upgraded, clients: busy()})
	both(situation{name: "activated", stand: "activated", what: "a socket from a supervisor (LISTEN_FDS), the next worker serves on", kind: activated, clients: busy()})
	add(situation{name: "activated-user", stand: "activated", what: "the same, the supervisor is another user", kind: otherUser, clients: busy()})
	add(situation{name: "activated-pid", stand: "activated", what: "the same, in another PID namespace", kind: otherPID, clients: busy()})
	add(situation{name: "kept-listener", stand: "kept-listener", what: "a wrapper whose Close keeps the socket, for the next configuration", clients: busy()})
	add(situation{name: "kept-listener-hidden", stand: "kept-listener-hidden", what: "the same, and it does not show the socket", clients: busy()})
	add(situation{name: "kept-listener-deaf", stand: "kept-listener-deaf", what: "the same, and its Accept does not notice the Close", context: 2 * time.Second, clients: busy()})
	for _, within := range []time.Duration{150 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond} {
		both(situation{name: fmt.Sprintf("short-%d", within.Milliseconds()), stand: "plain", context: within, clients: []client.Script{
			rests("a"), rests("b"), runs("c"),
		}, what: fmt.Sprintf("a context of %v, two idle and one running", within), fenced: true})
	}
	add(situation{name: "short-silent", stand: "plain", context: 400 * time.Millisecond, what: "a context of 400 ms, and a client that says nothing", clients: []client.Script{
		silent(), rests("a"), runs("b"),
	}, fenced: true})
	return table
}

// talking are clients in all states, and two with WebSockets.
func talking() []client.Script { return append(all(), talks("socket0"), talks("socket1")) }

// busy are clients in the states that do not depend on which process accepted them.
func busy() []client.Script {
	return []client.Script{runs("a"), runs("b"), pipelined("c"), idle("d"), idle("e")}
}
