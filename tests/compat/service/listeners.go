package main

import (
	"crypto/tls"
	"io"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/soheilhy/cmux"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/reuseport"
	"github.com/valyala/tcplisten"
	"golang.org/x/net/netutil"

	"github.com/fastdrain/fastdrain/tests/compat/client"
)

func init() {
	stands["plain"] = func(e *env) error {
		ln, err := e.listen()
		if err != nil {
			return err
		}
		return e.serve(e.server(), e.secure(ln))
	}
	stands["close-on-shutdown"] = func(e *env) error {
		ln, err := e.listen()
		if err != nil {
			return err
		}
		srv := e.server()
		srv.CloseOnShutdown = true
		return e.serve(srv, e.secure(ln))
	}
	stands["reduce-memory"] = func(e *env) error {
		ln, err := e.listen()
		if err != nil {
			return err
		}
		srv := e.server()
		srv.ReduceMemoryUsage = true
		return e.serve(srv, e.secure(ln))
	}
	stands["proxyproto"] = proxied(proxyproto.USE)
	stands["proxyproto-require"] = proxied(proxyproto.REQUIRE)
	stands["proxyproto-ignore"] = proxied(proxyproto.IGNORE)
	stands["timeouts"] = timed
	stands["autocert"] = cached
	stands["limit"] = limited(64)
	stands["limit-reached"] = limited(2)
	stands["tcplisten"] = configured(tcplisten.Config{ReusePort: true})
	stands["tcplisten-defer"] = configured(tcplisten.Config{ReusePort: true, DeferAccept: true, FastOpen: true})
	stands["reuseport"] = siblings
	stands["cmux"] = multiplexed
	stands["slow-certificate"] = slowCertificate
}

func (e *env) server() *fasthttp.Server { return &fasthttp.Server{Handler: e.handle} }

func proxied(policy proxyproto.Policy) stand {
	return func(e *env) error {
		ln, err := e.listen()
		if err != nil {
			return err
		}
		choose := func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) { return policy, nil }
		return e.serve(e.server(), e.secure(&proxyproto.Listener{Listener: ln, ConnPolicy: choose}))
	}
}

func limited(n int) stand {
	return func(e *env) error {
		ln, err := e.listen()
		if err != nil {
			return err
		}
		return e.serve(e.server(), e.secure(netutil.LimitListener(ln, n)))
	}
}

func configured(conf tcplisten.Config) stand {
	return func(e *env) error {
		ln, err := conf.NewListener("tcp4", e.addr)
		if err != nil {
			return err
		}
		return e.serve(e.server(), e.secure(ln))
	}
}

// siblings are two servers on one port by fasthttp's reuseport. One is stopped, the
// other has to serve on.
func siblings(e *env) error {
	first, err := reuseport.Listen("tcp4", e.addr)
	if err != nil {
		return err
	}
	second, err := reuseport.Listen("tcp4", first.Addr().String())
	if err != nil {
		return err
	}
	other := e.server()
	go func() { _ = other.Serve(e.secure(second)) }()
	say(event{Event: "other", Addr: second.Addr().String()})
	if err := e.serve(e.server(), e.secure(first)); err != nil {
		return err
	}
	remain()
	return nil
}

// multiplexed has HTTP and an echo protocol on one port.
func multiplexed(e *env) error {
	root, err := e.listen()
	if err != nil {
		return err
	}
	mux := cmux.New(root)
	is := cmux.HTTP1Fast()
	if e.tls != nil {
		is = cmux.TLS()
	}
	http, echo := mux.Match(is), mux.Match(cmux.Any())
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	go func() { _ = mux.Serve() }()
	say(event{Event: "other", Addr: root.Addr().String(), Text: "echo"})
	if err := e.serve(e.server(), e.secure(http)); err != nil {
		return err
	}
	remain()
	return nil
}

// slowCertificate takes its time for a certificate, as autocert does that asks for one.
func slowCertificate(e *env) error {
	ln, err := e.listen()
	if err != nil {
		return err
	}
	cert := client.Certificate()
	conf := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		time.Sleep(900 * time.Millisecond)
		return &cert, nil
	}}
	return e.serve(e.server(), tls.NewListener(ln, conf))
}
