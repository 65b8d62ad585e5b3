package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// target is where the clients connect to.
type target struct {
	addr string // host and port
	host string // for Host
	tls  *tls.Config
}

// TLS says how to speak TLS with an https URL.
type TLS struct {
	CAFile   string // a file with PEM certificates to trust; empty is the system's
	Insecure bool   // trust any certificate
}

// parseTarget takes a URL apart. Its path is returned, too.
func parseTarget(text string, secure TLS) (t *target, path string, err error) {
	u, err := url.Parse(text)
	port := ""
	if err == nil {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if port == "" || u.Hostname() == "" || u.Opaque != "" {
		return nil, "", fmt.Errorf("%q is no URL to load: write http://HOST:PORT/PATH or https://HOST:PORT/PATH", text)
	}
	if u.User != nil {
		return nil, "", errors.New("a URL with a user: give a header field instead, such as -header 'Authorization: Basic ...'")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	t = &target{addr: net.JoinHostPort(u.Hostname(), port), host: u.Host}
	if u.Scheme == "https" {
		if t.tls, err = secure.config(u.Hostname()); err != nil {
			return nil, "", err
		}
	} else if secure.CAFile != "" || secure.Insecure {
		return nil, "", fmt.Errorf("%s: a CA, or none, is for an https URL", text)
	}
	path = u.EscapedPath()
	if u.RawQuery != "" {
		path += "?" + strings.ReplaceAll(u.RawQuery, " ", "%20")
	}
	return t, path, nil
}

func (s TLS) config(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, InsecureSkipVerify: s.Insecure, NextProtos: []string{"http/1.1"}}
	if s.CAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("the CA: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA: there is no PEM certificate in %s", s.CAFile)
	}
	return c, nil
}

// ErrPublic says that a host is neither loopback nor private.
var ErrPublic = errors.New("neither a loopback nor a private address: if it is yours to load, say so with -yes")

// near is ErrPublic if one of the host's addresses is a public one.
func (t *target) near(ctx context.Context) error {
	host, _, err := net.SplitHostPort(t.addr)
	if err != nil {
		return err
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return fmt.Errorf("the host of the URL: %w", err)
	}
	for _, a := range addrs {
		if a = a.Unmap(); !isNear(a) {
			return fmt.Errorf("%s (%v): %w", host, a, ErrPublic)
		}
	}
	return nil
}

func isNear(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified()
}
