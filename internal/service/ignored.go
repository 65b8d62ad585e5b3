package service

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Ignored is a file that git would not take, and the rule that says so:
// ".gitignore:3: .*".
type Ignored struct{ Name, Rule string }

// CheckIgnored asks git which of the files in a folder it ignores, and tells of
// the first of each rule. Files that git tracks already are not ignored. Without
// git, and outside of a repository, there are none.
func CheckIgnored(ctx context.Context, dir string, names []string) []Ignored {
	// Absolute, as git runs in the folder or above it.
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil
	}
	dir = realDir(dir)
	at := dir // which may be still to be made
	for {
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			break
		}
		at = filepath.Dir(at)
	}
	cmd := exec.CommandContext(ctx, "git", "check-ignore", "--stdin", "-z", "-v")
	cmd.Dir = at
	var in strings.Builder
	for _, name := range names {
		in.WriteString(filepath.Join(dir, filepath.FromSlash(name)) + "\x00")
	}
	cmd.Stdin = strings.NewReader(in.String())
	out, _ := cmd.Output() // it fails if none is ignored
	fields := strings.Split(string(out), "\x00")
	var found []Ignored
	seen := map[string]bool{}
	for ; len(fields) >= 4; fields = fields[4:] {
		rule, name := fields[0]+":"+fields[1]+": "+fields[2], fields[3]
		// A rule that begins with ! takes a file out of those that are ignored.
		if seen[rule] || strings.HasPrefix(fields[2], "!") {
			continue
		}
		seen[rule] = true
		if rel, err := filepath.Rel(dir, name); err == nil {
			name = filepath.ToSlash(rel)
		}
		found = append(found, Ignored{name, rule})
	}
	return found
}
