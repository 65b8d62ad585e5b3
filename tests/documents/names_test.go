package documents

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

var (
	// documents are those that a reader is led to, from the root.
	documents = append([]string{"README.md", "CONTRIBUTING.md", "PATCHES.md", "CHANGELOG.md", "metrics/README.md"}, pages("docs/*.md")...)

	link        = regexp.MustCompile(`(?:\]\(|src="|srcset="|href=")([^)"\s]+)`)
	heading     = regexp.MustCompile(`^#+ +(.*)$`)
	noAnchor    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	makeTarget  = regexp.MustCompile("(?:^|[`\t ])make ([a-z][a-z0-9.-]*)")
	ruleTarget  = regexp.MustCompile(`(?m)^([a-z][^ :=#]*):`)
	commandCall = regexp.MustCompile("(?:^|[`/\t ])fastdrain ([a-z]+)([^`\n|;&]*)")
	commandFlag = regexp.MustCompile(`(?:^| )-([a-z]+)\b`)
	testFunc    = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	codeSpan    = regexp.MustCompile("`[^`]+`")
)

// pages are the documents that match a pattern, from the root.
func pages(pattern string) []string {
	found, err := fs.Glob(os.DirFS(root), pattern)
	if err != nil {
		panic(err)
	}
	return found
}

func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	for _, name := range documents {
		for i, line := range readDocument(t, name).lines {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				target, anchor, _ := strings.Cut(m[1], "#")
				target = path.Join(path.Dir(name), target)
				if strings.HasPrefix(m[1], "#") {
					target = name
				}
				if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
					t.Errorf("%s:%d: a link to %s: %v", name, i+1, m[1], err)
				} else if anchor != "" && strings.HasSuffix(target, ".md") && !readDocument(t, target).anchors()[anchor] {
					t.Errorf("%s:%d: a link to %s, which has no heading #%s", name, i+1, target, anchor)
				}
			}
		}
	}
}

// anchors are what the headings of a document are called in a link to it, as
// GitHub makes them.
func (d *document) anchors() map[string]bool {
	anchors := map[string]bool{}
	for _, line := range d.lines {
		if m := heading.FindStringSubmatch(line); m != nil {
			text := noAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
			anchors[strings.ReplaceAll(text, " ", "-")] = true
		}
	}
	return anchors
}

func TestMakeTargetsOfTheDocumentsExist(t *testing.T) {
	database, err := consumer.Run(root, "make", "--print-data-base", "--dry-run", "help")
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range ruleTarget.FindAllStringSubmatch(database, -1) {
		targets[m[1]] = true
	}
	checked := 0
	for _, name := range documents {
		eachCode(t, readDocument(t, name), func(line int, code string) {
			for _, m := range makeTarget.FindAllStringSubmatch(code, -1) {
				checked++
				if !targets[m[1]] {
					t.Errorf("%s:%d: the Makefile has no target %s", name, line, m[1])
				}
			}
		})
	}
	if checked == 0 {
		t.Error("no make target was found: the documents or this test are wrong")
	}
}

func TestCommandsOfTheDocumentsExist(t *testing.T) {
	checked := 0
	help := map[string]string{}
	for _, name := range documents {
		eachCode(t, readDocument(t, name), func(line int, code string) {
			for _, m := range commandCall.FindAllStringSubmatch(code, -1) {
				command, arguments := m[1], m[2]
				checked++
				if help[command] == "" {
					out, err := consumer.Run(root, fastdrain, command, "-h")
					if err != nil {
						t.Errorf("%s:%d: %v", name, line, err)
						continue
					}
					help[command] = out
				}
				for _, f := range commandFlag.FindAllStringSubmatch(arguments, -1) {
					if !regexp.MustCompile(`(?m)^ +(-\w, )*--?` + f[1] + `\b`).MatchString(help[command]) {
						t.Errorf("%s:%d: fastdrain %s has no flag -%s; it says:\n%s", name, line, command, f[1], help[command])
					}
				}
			}
		})
	}
	if checked == 0 {
		t.Error("no call of the command was found: the documents or this test are wrong")
	}
}

// eachCode calls f with the lines of a document's shell blocks and with the
// code spans of its text.
func eachCode(t *testing.T, d *document, f func(line int, code string)) {
	t.Helper()
	inside := map[int]bool{}
	for _, b := range d.codeBlocks(t) {
		for i, text := range strings.Split(strings.TrimSuffix(b.text, "\n"), "\n") {
			inside[b.line+i] = true
			if b.language == "sh" {
				f(b.line+i, strings.TrimPrefix(text, "$ "))
			}
		}
	}
	for i, line := range d.lines {
		if !inside[i+1] {
			for _, span := range codeSpan.FindAllString(line, -1) {
				f(i+1, span)
			}
		}
	}
}

func TestProofsOfThePatchesExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "PATCHES.md"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := patch.Parse("PATCHES.md", text)
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	for _, dir := range []string{"server", "tests"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range testFunc.FindAllSubmatch(source, -1) {
				exists[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range set.Patches {
		for _, proof := range p.ProvedBy {
			if name, _, _ := strings.Cut(proof, "/"); !exists[name] {
				t.Errorf("PATCHES.md:%d: patch %q is proved by %s, which does not exist", p.Line, p.Name, proof)
			}
		}
	}
}
