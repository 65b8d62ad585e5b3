package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// checkTimeout bounds the first request, which a service may take its time for.
const checkTimeout = 20 * time.Second

// check sends each request once, before any load, and is an error if loading would
// show nothing: no HTTP/1.1, redirects, errors. It returns what is worth to be said,
// and how many requests it has sent.
func check(ctx context.Context, t *target, requests []*prepared, expect string) (notes []string, sent int, err error) {
	missing := 0
	for _, q := range requests {
		sent++
		got, err := once(ctx, t, q, expect)
		if ctx.Err() != nil {
			return nil, sent, context.Cause(ctx)
		}
		if err != nil {
			return nil, sent, fmt.Errorf("%s %s on %s: %w", q.method, q.path, t.addr, err)
		}
		say := func(what string) error {
			return fmt.Errorf("%s %s on %s answers with %d%s", q.method, q.path, t.addr, got.status, what)
		}
		switch {
		case got.status >= 300 && got.status < 400 && got.header.Get("Location") != "":
			return nil, sent, say(" and leads to " + got.header.Get("Location") + ": give that as the URL, or another -path")
		case got.status >= 500:
			return nil, sent, say(": it has to answer well before it is stopped")
		case got.status == http.StatusNotFound || got.status == http.StatusMethodNotAllowed:
			if missing++; missing == len(requests) {
				return nil, sent, say(": give a -path that the service has")
			}
		case got.status >= 400:
			notes = append(notes, say("").Error())
		case !got.matches:
			return nil, sent, fmt.Errorf("%s %s on %s answers without %q, which -expect asks for", q.method, q.path, t.addr, expect)
		}
	}
	if t.tls != nil && speaksH2(ctx, t) {
		notes = append(notes, "the server speaks HTTP/2 as well; this is about HTTP/1.1 only")
	}
	return notes, sent, nil
}

var errNoHTTP1 = errors.New("the server speaks HTTP/2 only, and the probe HTTP/1.1: give the address of a listener for that")

func once(ctx context.Context, t *target, q *prepared, expect string) (got reply, err error) {
	c, established, err := dial(ctx, t, checkTimeout)
	if err != nil {
		var alert tls.AlertError
		var cert *tls.CertificateVerificationError
		switch {
		case errors.As(err, &alert) && strings.Contains(alert.Error(), "application protocol"):
			return got, errNoHTTP1
		case errors.As(err, &cert):
			return got, fmt.Errorf("%w (-ca FILE trusts yours, -insecure any)", err)
		case established:
			return got, fmt.Errorf("no TLS: does it speak that there? %w", err)
		}
		return got, err
	}
	defer c.drop()
	c.SetDeadline(time.Now().Add(checkTimeout))
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c.Write(q.once) // if that fails there may be an answer all the same
	// An HTTP/2 server begins with SETTINGS, whatever it is sent.
	if head, err := c.br.Peek(5); err != nil {
		if t.tls != nil && speaksH2(ctx, t) {
			return got, errNoHTTP1
		}
		return got, explain(err)
	} else if string(head) != "HTTP/" {
		if head[3] == 0x04 {
			return got, errNoHTTP1
		}
		return got, fmt.Errorf("what comes is no HTTP/1.1: it begins with %q (for TLS the URL begins with https)", head)
	}
	got, _, err = c.receive(q.response, expect)
	if symptom(err, true) == Timeout {
		err = fmt.Errorf("the response does not end within %v: the probe needs one that does", checkTimeout)
	}
	if err == nil && t.tls == nil && got.status == http.StatusBadRequest && speaksTLS(ctx, t) {
		return got, errors.New("the server speaks TLS there: give a URL that begins with https")
	}
	return got, err
}

func explain(err error) error {
	switch symptom(err, false) {
	case Timeout:
		return fmt.Errorf("no answer in %v", checkTimeout)
	case Closed, Reset:
		return errors.New("the connection is closed without an answer: does it speak HTTP/1.1 there? (for TLS the URL begins with https)")
	}
	return err
}

// speaksH2 reports whether a TLS server chooses HTTP/2 where it may.
func speaksH2(ctx context.Context, t *target) bool {
	config := t.tls.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	return handshake(ctx, t, config) == "h2"
}

// speaksTLS reports whether there is a TLS server.
func speaksTLS(ctx context.Context, t *target) bool {
	host, _, _ := net.SplitHostPort(t.addr)
	return handshake(ctx, t, &tls.Config{ServerName: host, InsecureSkipVerify: true}) != ""
}

// handshake returns the protocol that a TLS server chooses, "none" for none, and
// nothing if there is no TLS server.
func handshake(ctx context.Context, t *target, config *tls.Config) string {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	d := tls.Dialer{Config: config}
	conn, err := d.DialContext(ctx, "tcp", t.addr)
	if err != nil {
		return ""
	}
	defer conn.Close()
	if p := conn.(*tls.Conn).ConnectionState().NegotiatedProtocol; p != "" {
		return p
	}
	return "none"
}
