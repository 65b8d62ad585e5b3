// Command tls is a fasthttp server that speaks TLS and stops cleanly on SIGTERM.
// Without -cert and -key it makes a certificate that nobody trusts, to try it:
//
//	go run -C examples ./tls & curl -k https://127.0.0.1:8443/
//
// In a drain nothing differs from plain TCP: connections in the accept queue are
// accepted and get their handshake, and a close sends close_notify before FIN.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"

	"github.com/fastdrain/fastdrain/examples/internal/selfsigned"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8443", "listen on `address`; port 0 takes a free one")
	cert := flag.String("cert", "", "the certificate chain, a PEM `file`")
	key := flag.String("key", "", "its private key, a PEM `file`")
	flag.Parse()
	pair, err := load(*cert, *key)
	if err != nil {
		log.Fatal(err)
	}

	srv := &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("hello") },
		// With a limit, a handshake or an upload that stalls cannot hold the
		// drain until the end of its grace.
		ReadTimeout: 10 * time.Second,
		TLSConfig:   &tls.Config{Certificates: []tls.Certificate{pair}},
	}
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	err = drainrun.Run(srv, func() error {
		fmt.Println("listening on", ln.Addr())
		return srv.ServeTLS(ln, "", "") // the certificate is in TLSConfig
	}, drainrun.Options{})
	if err != nil {
		log.Fatal(err)
	}
}

func load(cert, key string) (tls.Certificate, error) {
	if cert != "" || key != "" {
		return tls.LoadX509KeyPair(cert, key)
	}
	certPEM, keyPEM, err := selfsigned.PEM()
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
}
