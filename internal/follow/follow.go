// Package follow finds the lines beside the code that have to follow when a module
// gets a copy of another one into its repository, and a higher go line with it:
// images and versions of Go in Dockerfiles, in the files of CI services and of
// version managers, and downloads of modules before the copy is there.
package follow

import (
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Line is a line that has to follow.
type Line struct {
	// File is its path, and Number counts from 1.
	File   string
	Number int
	Text   string
	// Do says what to do.
	Do string
}

// Module is the module that has changed.
type Module struct {
	// Dir is its folder, Copy that of the copy, and Go what its go line asks for.
	Dir, Copy, Go string
}

// maxSize is the size in bytes above which a file is none of those that are
// looked for.
const maxSize = 1 << 20

// Find looks through the repository that the module is in, or through the folder
// of the module where there is none. Files of other modules in it are left alone:
// those whose nearest go.mod is not that of the module, unless they lie above it.
func Find(m Module) ([]Line, error) {
	root := repository(m.Dir)
	var found []Line
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if d != nil && d.IsDir() {
				return fs.SkipDir // what cannot be read is not ours
			}
			return err
		}
		if d.IsDir() {
			if path != root && (skipped(d.Name()) || path == m.Copy || otherModule(path, m.Dir)) {
				return fs.SkipDir
			}
			return nil
		}
		look := lookFor(root, path)
		if look == nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > maxSize {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
		for _, l := range look(m, path, lines) {
			l.File, l.Text = path, strings.TrimSpace(lines[l.Number-1])
			found = append(found, l)
		}
		return nil
	})
	return found, err
}

// repository is the folder above dir that git has its own in, and dir if there is
// none.
func repository(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

func skipped(name string) bool {
	switch name {
	case ".github", ".gitlab", ".circleci", ".buildkite", ".woodpecker":
		return false
	case "vendor", "node_modules", "testdata", "third_party":
		return true
	}
	return strings.HasPrefix(name, ".")
}

// otherModule says whether a folder begins a module that is neither the one in
// dir nor above it.
func otherModule(folder, dir string) bool {
	if rel, err := filepath.Rel(folder, dir); err == nil && filepath.IsLocal(rel) {
		return false
	}
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

type looker func(m Module, file string, lines []string) []Line

// lookFor is what to do with a file, nil if nothing.
func lookFor(root, path string) looker {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return nil
	}
	rel = filepath.ToSlash(rel)
	name := filepath.Base(path)
	lower := strings.ToLower(name)
	switch {
	case strings.HasPrefix(lower, "dockerfile"), strings.HasSuffix(lower, ".dockerfile"), strings.HasPrefix(lower, "containerfile"):
		return dockerfile
	case name == ".tool-versions":
		return toolVersions
	case name == ".go-version":
		return goVersionFile
	case isYAML(name) && (strings.HasPrefix(rel, ".") && strings.Contains(rel, "/") || // .github/workflows and the like
		ciFiles[strings.TrimSuffix(lower, filepath.Ext(lower))]):
		return yaml
	}
	return nil
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")
}

// ciFiles are the names of files of CI services, without .yml.
var ciFiles = map[string]bool{
	".gitlab-ci": true, ".travis": true, ".drone": true, ".woodpecker": true, ".cirrus": true, "azure-pipelines": true,
	"bitbucket-pipelines": true, "cloudbuild": true, "buildspec": true, "docker-compose": true, "compose": true,
}

// tooOld says whether a version such as 1.23, 1.23.4, 1.23.x or 1.23-alpine is
// below that of a go line. 1.26 alone means the newest 1.26.
func tooOld(v, goLine string) bool {
	m := number.FindStringSubmatch(v)
	if m == nil {
		return false
	}
	have, want := "go"+m[1], "go"+goLine
	if m[2] == "" {
		have, want = version.Lang(have), version.Lang(want)
	}
	return version.IsValid(have) && version.Compare(have, want) < 0
}

var number = regexp.MustCompile(`^(1\.\d+(\.\d+)?)`)

// orLater is how to write at least the version of a go line where only two numbers
// are usual.
func orLater(goLine string) string {
	if strings.HasSuffix(goLine, ".0") {
		goLine = strings.TrimSuffix(goLine, ".0")
	}
	return goLine + " or later"
}

var (
	toolLine = regexp.MustCompile(`^\s*(?:golang|go)\s+(.*)$`)
	// imageOf is an image with Go in it.
	imageOf = regexp.MustCompile(`(?:^|[\s"'/=])(?:golang|cimg/go):(1\.[\w.-]+)`)
	// versionKey is a key of YAML whose value is a version of Go: go-version,
	// GO_VERSION, go.
	versionKey = regexp.MustCompile(`(?i)^\s*(?:-\s+)?["']?(?:\w*[_-])?(?:go(?:lang)?[_-]?version|go)["']?\s*:(.*)$`)
	item       = regexp.MustCompile(`^(\s*)-\s+(.*)$`)
)

func toolVersions(m Module, _ string, lines []string) []Line {
	var found []Line
	for i, line := range lines {
		if t := toolLine.FindStringSubmatch(line); t != nil {
			if v, _, _ := strings.Cut(t[1], " "); tooOld(v, m.Go) {
				found = append(found, Line{Number: i + 1, Do: orLater(m.Go)})
			}
		}
	}
	return found
}

func goVersionFile(m Module, _ string, lines []string) []Line {
	if len(lines) > 0 && tooOld(strings.TrimPrefix(strings.TrimSpace(lines[0]), "go"), m.Go) {
		return []Line{{Number: 1, Do: orLater(m.Go)}}
	}
	return nil
}

// yaml finds images with Go in them, and versions of Go under the usual keys, in
// lists too.
func yaml(m Module, _ string, lines []string) []Line {
	var found []Line
	inList := false
	for i, line := range lines {
		text, _, _ := strings.Cut(line, " #")
		old := false
		for _, image := range imageOf.FindAllStringSubmatch(text, -1) {
			old = old || tooOld(image[1], m.Go)
		}
		value := ""
		if key := versionKey.FindStringSubmatch(text); key != nil {
			value = key[1]
			inList = strings.TrimSpace(value) == ""
		} else if entry := item.FindStringSubmatch(text); entry != nil && inList {
			value = entry[2]
		} else if strings.TrimSpace(text) != "" {
			inList = false
		}
		for _, v := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t,[]{}'\"~", r) }) {
			old = old || tooOld(v, m.Go) // which ^1.23 and >=1.23 are not
		}
		if old {
			found = append(found, Line{Number: i + 1, Do: fmt.Sprintf("Go %s", orLater(m.Go))})
		}
	}
	return found
}
