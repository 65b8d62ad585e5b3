package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"

	"github.com/fasthttp/router"
	"github.com/savsgio/atreugo/v11"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/prefork"
)

func init() {
	stands["router"] = func(e *env) error {
		ln, err := e.listen()
		if err != nil {
			return err
		}
		r := router.New()
		r.ANY("/fast", e.handle)
		r.ANY("/wait", e.handle)
		return e.serve(&fasthttp.Server{Handler: r.Handler}, e.secure(ln))
	}
	stands["atreugo"] = atreugoServes
	stands["prefork"] = preforked(false)
	stands["prefork-reuseport"] = preforked(true)
}

// atreugoServes stops by atreugo's own handling of SIGTERM.
func atreugoServes(e *env) error {
	app := atreugo.New(atreugo.Config{Addr: e.addr, GracefulShutdown: true})
	answer := func(ctx *atreugo.RequestCtx) error {
		e.handle(ctx.RequestCtx)
		return nil
	}
	app.ANY("/fast", answer)
	app.ANY("/wait", answer)
	go func() {
		<-e.signal // beside atreugo's own
		e.stops()
	}()
	say(event{Event: "addressed", Addr: e.addr})
	returned(app.ListenAndServe(), 0)
	return nil
}

// preforked is fasthttp's prefork: two children, each of which stops on SIGTERM.
func preforked(reuse bool) stand {
	return func(e *env) error {
		srv := e.server()
		p := prefork.New(srv)
		p.Reuseport = reuse
		listen := func() error { return p.ListenAndServe(e.addr) }
		if e.tls != nil {
			cert, key := e.pem()
			listen = func() error { return p.ListenAndServeTLSEmbed(e.addr, cert, key) }
		}
		if !prefork.IsChild() {
			e.lead()
			return listen()
		}
		return e.child(listen, func(ctx context.Context) error { return srv.ShutdownWithContext(ctx) }, func() { account(srv) })
	}
}

// pem is the certificate as files would have it.
func (e *env) pem() (cert, key []byte) {
	der, err := x509.MarshalPKCS8PrivateKey(e.tls.Certificates[0].PrivateKey)
	if err != nil {
		panic(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.tls.Certificates[0].Certificate[0]})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
