package doctor

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const examples = "../../examples/pipeline"

var runLine = regexp.MustCompile(`(?m)^\s+(?:- )?run: (.*)$`)

// What examples/pipeline/fastdrain.yml runs is what passes for a service that is
// well: line by line, but for the installation, and the newest upstream, which is
// another day's question.
func TestWorkflow(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(examples, "fastdrain.yml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(service)); err != nil {
		t.Fatal(err)
	}
	// One of the services is all of it.
	for _, s := range services {
		if s.name != "drainrun" {
			if err := os.RemoveAll(filepath.Join(dir, s.name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Rename(filepath.Join(dir, "drainrun", "main.go"), filepath.Join(dir, "main.go")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(command)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("GOVULNDB", advisory(t, "v1.0.0"))
	ran := 0
	for _, m := range runLine.FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(m[1], "go install ") || strings.Contains(m[1], "newest") {
			continue
		}
		cmd := exec.Command("bash", "-euc", m[1])
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", m[1], err, out)
		}
		ran++
	}
	if ran < 4 {
		t.Errorf("%d lines were run", ran)
	}
}

// The bots' configurations name the folder and the module that README.md has.
func TestBots(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(examples, "renovate.json"))
	if err != nil {
		t.Fatal(err)
	}
	var renovate struct {
		PackageRules []struct {
			MatchFileNames, MatchPackageNames []string
			Enabled                           *bool
		}
	}
	if err := json.Unmarshal(text, &renovate); err != nil {
		t.Fatal(err)
	}
	var off []string
	for _, r := range renovate.PackageRules {
		if r.Enabled == nil || *r.Enabled {
			t.Errorf("a rule that does not disable: %+v", r)
		}
		off = append(append(off, r.MatchFileNames...), r.MatchPackageNames...)
	}
	if have := strings.Join(off, " "); have != "third_party/fasthttp/** github.com/valyala/fasthttp" {
		t.Errorf("Renovate leaves alone: %s", have)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	says(t, string(readme), "vendor -o third_party/fasthttp")
}
