package vulncheck

import (
	"errors"
	"strings"
	"testing"
)

const (
	head = `{"name":"govulncheck-extract","version":"0.1.0"}` + "\n"
	body = `{"path":"example.com/service","modules":[` +
		`{"Path":"example.com/other","Version":"v1.0.0","Replace":{"Path":"./other"}},` +
		`{"Path":"example.com/up","Version":"v1.0.0","Replace":{"Path":"./third_party/up","Version":"(devel)"}}],` +
		`"pkgSymbols":[{"pkg":"example.com/up","name":"Server.Serve"}],"goos":"linux"}` + "\n"
)

func TestRewrite(t *testing.T) {
	out, err := rewrite([]byte(head+body), "example.com/up", "v1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	// The keys of an object are sorted, and nothing else is another.
	want := head + `{"goos":"linux","modules":[` +
		`{"Path":"example.com/other","Replace":{"Path":"./other"},"Version":"v1.0.0"},` +
		`{"Path":"example.com/up","Version":"v1.2.0"}],` +
		`"path":"example.com/service","pkgSymbols":[{"name":"Server.Serve","pkg":"example.com/up"}]}` + "\n"
	if string(out) != want {
		t.Errorf("have %s\nwant %s", out, want)
	}
}

func TestRewriteRefuses(t *testing.T) {
	for name, blob := range map[string]string{
		"empty":            "",
		"another protocol": strings.Replace(head, "0.1.0", "0.2.0", 1) + body,
		"no body":          head,
		"too much":         head + body + body,
		"no modules":       head + "{}",
		"without it":       head + `{"modules":[{"Path":"example.com/other"}]}`,
	} {
		if out, err := rewrite([]byte(blob), "example.com/up", "v1.2.0"); !errors.Is(err, errBlob) {
			t.Errorf("%s: have %s, %v", name, out, err)
		}
	}
}
