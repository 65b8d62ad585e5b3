package doctor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/vulncheck"
)

// advisory is made up: it says that Server.Serve is wrong, from the beginning
// to the version that fixes it, in the format of https://go.dev/security/vuln/database.
func advisory(t *testing.T, fixed string) (url string) {
	t.Helper()
	const id, at = "GO-2099-0001", "2099-01-01T00:00:00Z"
	dir := t.TempDir()
	events := []any{map[string]any{"introduced": "0"}}
	if fixed != "" {
		events = append(events, map[string]any{"fixed": strings.TrimPrefix(fixed, "v")})
	}
	for name, v := range map[string]any{
		"index/db.json": map[string]any{"modified": at},
		"index/modules.json": []any{map[string]any{
			"path":  "github.com/valyala/fasthttp",
			"vulns": []any{map[string]any{"id": id, "modified": at, "fixed": strings.TrimPrefix(fixed, "v")}},
		}},
		"index/vulns.json": []any{map[string]any{"id": id, "modified": at}},
		"ID/" + id + ".json": map[string]any{
			"schema_version": "1.3.1", "id": id, "modified": at, "published": at,
			"summary": "A made-up fault of Serve", "details": "It is made up.",
			"database_specific": map[string]any{"url": "https://pkg.go.dev/vuln/" + id},
			"affected": []any{map[string]any{
				"package": map[string]any{"name": "github.com/valyala/fasthttp", "ecosystem": "Go"},
				"ranges":  []any{map[string]any{"type": "SEMVER", "events": events}},
				"ecosystem_specific": map[string]any{"imports": []any{map[string]any{
					"path": "github.com/valyala/fasthttp", "symbols": []string{"Server.Serve"},
				}}},
			}},
		},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + dir
}

func TestVulncheck(t *testing.T) {
	// With its symbols, so that it is the call that is found.
	binary := filepath.Join(t.TempDir(), "plain")
	if _, err := run(service, "go", "build", "-o", binary, "./plain"); err != nil {
		t.Fatal(err)
	}
	stripped := filepath.Join(bin, "plain")

	db := advisory(t, "")
	t.Setenv("GOVULNDB", db)
	// The control: what govulncheck says by itself.
	out, err := run(service, "go", "run", "golang.org/x/vuln/cmd/govulncheck@"+vulncheck.Govulncheck, "-mode", "binary", "-db", db, binary)
	if err != nil || !strings.Contains(out, "No vulnerabilities found") {
		t.Errorf("govulncheck sees through a replace line now: is vulncheck still needed? %v\n%s", err, out)
	}
	fails(t, service, []string{"vulncheck", binary}, "GO-2099-0001", "A made-up fault of Serve", "Found in: github.com/valyala/fasthttp@v1.78.0", "Server.Serve", "NOT OK")
	fails(t, service, []string{"vulncheck", stripped}, "GO-2099-0001", "NOT OK")

	t.Setenv("GOVULNDB", advisory(t, "v1.78.0"))
	passes(t, service, []string{"vulncheck", binary}, "No vulnerabilities found", "scanned with github.com/valyala/fasthttp v1.78.0")
	t.Run("vendored", func(t *testing.T) { // as services with a vendor folder have it
		t.Setenv("GOFLAGS", "-mod=vendor")
		passes(t, service, []string{"vulncheck", binary}, "No vulnerabilities found")
	})
	fails(t, service, []string{"vulncheck", command}, "it is not made with the patched copy")
}
