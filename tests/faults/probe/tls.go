package main

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// listenTLS is listen with a certificate of its own.
func (r *rig) listenTLS() {
	cert, key, err := fasthttp.GenerateTestCertificate("localhost")
	r.check(err)
	pair, err := tls.X509KeyPair(cert, key)
	r.check(err)
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	r.check(err)
	r.serve(tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{pair}}))
}

var tlsFaults = []fault{
	{
		Name: "tls-handshake-stalled", What: "a TLS handshake that stalls at the stop, no ReadTimeout",
		Want: "another client's handshake: done, 200; Shutdown: nil",
		More: []string{"TestStalledHandshakeEndsWithTheWindow", "TestHandshakeAcrossTheStop"},
		run: func(r *rig) {
			r.drain.finalRead = 300 * time.Millisecond
			r.listenTLS()
			r.dial().send("\x16\x03\x01\x02\x00") // the header of a ClientHello that never comes
			// Accepted after the one that stalls, which is thus in its handshake.
			c := r.dial().secure()
			r.say("another client's handshake: done, %s", c.ask(get("/")))
			_ = c.c.Close()
			r.stop(patience).sayEnd()
		},
	},
	{
		Name: "tls-close-notify-only", What: "a client that says close_notify and never sends FIN",
		Want: "the client: FIN; Shutdown: nil; account: 1 client_closed",
		More: []string{"TestCloseNotifyOnly", "TestAnsweredCloseNotifyIsNotLate"},
		run: func(r *rig) {
			r.listenTLS()
			c := r.dial().secure().goIdle()
			st := r.stop(bound)
			if !c.look() {
				r.check(c.c.(*tls.Conn).CloseWrite())
			}
			r.say("the client: %s", c.rest())
			st.sayEnd()
			r.sayOutcomes()
		},
	},
}
