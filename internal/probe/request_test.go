package probe

import (
	"strings"
	"testing"
)

func TestReadRequests(t *testing.T) {
	requests, err := ReadRequests(strings.NewReader("# orders\n\nGET /a?b=c\nPOST /orders {\"n\": 1}\n"), []string{"X-Team: a, b"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET /a?b=c HTTP/1.1\r\nHost: h:1\r\nUser-Agent: fastdrain-probe\r\nX-Team: a, b\r\n\r\n",
		"POST /orders HTTP/1.1\r\nHost: h:1\r\nUser-Agent: fastdrain-probe\r\nContent-Length: 8\r\nX-Team: a, b\r\n\r\n{\"n\": 1}",
	}
	for i, q := range requests {
		p, err := q.prepare("h:1")
		if err != nil {
			t.Fatal(err)
		}
		if string(p.keep) != want[i] {
			t.Errorf("%q, and not %q", p.keep, want[i])
		}
		if !strings.Contains(string(p.once), "\r\nConnection: close\r\n") {
			t.Errorf("%q does not say close", p.once)
		}
	}
	for _, bad := range []string{"", "# nothing\n", "get /\n", "GET a\n", "CONNECT /\n", "GET /\nGET\tx\n"} {
		if _, err := ReadRequests(strings.NewReader(bad), nil); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestHeaderFieldsThatAreNotTaken(t *testing.T) {
	for _, bad := range []string{"X", ": a", "X Y: a", "X: a\r\nY: b", "Connection: close", "content-length: 3", "Transfer-Encoding: chunked"} {
		if _, err := (Request{Header: []string{bad}}).prepare("h"); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestPublicHostsNeedAWord(t *testing.T) {
	for url, near := range map[string]bool{
		"http://127.0.0.1:1/": true, "http://[::1]:1/": true, "http://10.1.2.3/": true, "http://192.168.1.1/": true,
		"http://172.20.0.1/": true, "http://[fd00::1]/": true, "http://169.254.1.1/": true, "http://[::ffff:10.0.0.1]/": true,
		"http://93.184.216.34/": false, "https://[2606:4700::1111]/": false, "http://172.32.0.1/": false, "http://[::ffff:8.8.8.8]/": false,
	} {
		target, _, err := parseTarget(url, TLS{})
		if err != nil {
			t.Fatal(err)
		}
		if err := target.near(t.Context()); (err == nil) != near {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, bad := range []string{"", "127.0.0.1:80", "ftp://h/", "http://", "http://u:p@h/", "http:h"} {
		if _, _, err := parseTarget(bad, TLS{}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestTheSpacesOfAURL has them in the path and in the query.
func TestTheSpacesOfAURL(t *testing.T) {
	_, path, err := parseTarget("http://[::1]:80/a b?c=d e", TLS{})
	if err != nil || path != "/a%20b?c=d%20e" {
		t.Errorf("%q, %v", path, err)
	}
	if _, err := (Request{Path: path}).prepare("h"); err != nil {
		t.Error(err)
	}
}
