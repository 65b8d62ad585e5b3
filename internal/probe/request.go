package probe

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"unicode"
)

// Request is what the clients send.
type Request struct {
	Method string // empty is GET
	Path   string // with the query; empty is /
	Header []string
	Body   string
}

// agent is the User-Agent of the clients, by which a server's log tells them.
const agent = "fastdrain-probe"

// ReadRequests reads requests, one a line: METHOD PATH [BODY]. Empty lines and lines
// that begin with # are passed over. The header fields are the same for all.
func ReadRequests(r io.Reader, header []string) (requests []Request, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		method, rest, _ := strings.Cut(line, " ")
		path, body, _ := strings.Cut(strings.TrimSpace(rest), " ")
		q := Request{Method: method, Path: path, Header: header, Body: strings.TrimSpace(body)}
		if _, err := q.prepare("h"); err != nil {
			return nil, fmt.Errorf("line %d: %w (a line is METHOD PATH [BODY])", n, err)
		}
		requests = append(requests, q)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(requests) == 0 {
		return nil, errors.New("there is no request in it")
	}
	return requests, nil
}

// prepared is a request in the bytes that are sent.
type prepared struct {
	method   string
	path     string
	keep     []byte // on a connection that is kept
	once     []byte // the same with `Connection: close`
	response *http.Request
}

// prepare checks a request and writes it down.
func (q Request) prepare(host string) (*prepared, error) {
	method, path := cmp.Or(q.Method, http.MethodGet), cmp.Or(q.Path, "/")
	if method != strings.ToUpper(method) || method == http.MethodConnect {
		return nil, fmt.Errorf("%q is no method to send", method)
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, fmt.Errorf("%q is no path: it begins with / and has no spaces in it", path)
	}
	r, err := http.NewRequest(method, "http://"+host+path, strings.NewReader(q.Body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", agent)
	for _, field := range q.Header {
		name, value, ok := strings.Cut(field, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || strings.ContainsFunc(field, unicode.IsControl) || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("%q is no header field: write it as \"Name: value\"", field)
		}
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Expect":
			return nil, fmt.Errorf("the header field %s is the probe's own", name)
		case "Host":
			r.Host = value
		default:
			r.Header.Add(name, value)
		}
	}
	p := &prepared{method: method, path: path, response: &http.Request{Method: method}}
	for _, once := range []bool{false, true} {
		r.Close, r.Body = once, io.NopCloser(strings.NewReader(q.Body))
		var b bytes.Buffer
		if err := r.Write(&b); err != nil {
			return nil, err
		}
		if once {
			p.once = b.Bytes()
		} else {
			p.keep = b.Bytes()
		}
	}
	return p, nil
}
