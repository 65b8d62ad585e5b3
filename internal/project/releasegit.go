package project

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// releaseBranch is the branch of a repository of releases: one commit a release.
const releaseBranch = "main"

// ReleasedGit says what ReleaseGit did.
type ReleasedGit struct {
	// Commit is the release's.
	Commit  string
	Patches int
	// Written says that the release was not there already.
	Written bool
}

// ReleaseGit writes the patched copy of the pinned version as a commit and a tag
// into a git repository, which the go command takes it from without a module proxy.
// The repository is a URL or a directory, as git push has it, and must be there; it
// holds nothing but releases.
//
// The branch and the tag are pushed together or not at all. A tag that is there with
// other files is an error, as others may have their hash in their go.sum.
func (p *Project) ReleaseGit(ctx context.Context, repository, version string) (*ReleasedGit, error) {
	if err := p.checkReleaseVersion(version); err != nil {
		return nil, err
	}
	c, set, err := p.completeCopy(ctx, "")
	if err != nil {
		return nil, err
	}
	r := &ReleasedGit{Patches: len(set.Patches)}
	dir, err := os.MkdirTemp("", "fastdrain-release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := git(ctx, dir, nil, "init", "-q", "--bare", "-b", releaseBranch); err != nil {
		return nil, err
	}
	var refs []string
	branch, tag := "refs/heads/"+releaseBranch, "refs/tags/"+version
	listed, err := git(ctx, dir, nil, "ls-remote", repository, branch, tag)
	if err != nil {
		return nil, fmt.Errorf("%w\nThe repository has to be there: git init --bare DIR makes an empty one", err)
	}
	for line := range strings.Lines(listed) {
		if _, ref, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			refs = append(refs, "+"+ref+":"+ref)
		}
	}
	parent := ""
	if len(refs) > 0 {
		if _, err := git(ctx, dir, nil, append([]string{"fetch", "-q", "--no-tags", repository}, refs...)...); err != nil {
			return nil, err
		}
		if slices.Contains(refs, "+"+branch+":"+branch) {
			parent = branch
		}
	}
	identity, err := git(ctx, dir, nil, "var", "GIT_COMMITTER_IDENT")
	if err != nil {
		return nil, err
	}
	made := "refs/heads/made"
	message := fmt.Sprintf("%s %s with %d patches of https://%s\n", c.Upstream.Path, c.Upstream.Version, r.Patches, Module)
	if _, err := git(ctx, dir, commit(made, parent, identity, message, c.Files), "fast-import", "--quiet"); err != nil {
		return nil, err
	}
	if slices.Contains(refs, "+"+tag+":"+tag) {
		if _, err := git(ctx, dir, nil, "diff", "--quiet", tag, made); err != nil {
			return nil, fmt.Errorf("%s is there in %s with other files, and a version must never change: release the next version", version, repository)
		}
		r.Commit, err = git(ctx, dir, nil, "rev-parse", tag+"^{commit}")
		return r, err
	}
	if r.Commit, err = git(ctx, dir, nil, "rev-parse", made); err != nil {
		return nil, err
	}
	r.Written = true
	_, err = git(ctx, dir, nil, "push", "-q", "--atomic", repository, made+":"+branch, made+":"+tag)
	return r, err
}

// checkReleaseVersion is an error if a version cannot be that of a release of the
// pinned version. One that is numbered as ours are says which upstream it is made of,
// and can never be taken back; another number is whatever its owner likes.
func (p *Project) checkReleaseVersion(version string) error {
	if major := semver.Major(version); semver.Canonical(version) != version || major != "v0" && major != "v1" {
		return fmt.Errorf("%q is not a version such as v1.0.0-fastdrain.1, of major version 0 or 1", version)
	}
	pin, err := p.Pin()
	if err != nil {
		return err
	}
	number := semver.Prerelease(version)
	if of := strings.TrimSuffix(version, number); strings.HasPrefix(number, "-fastdrain.") && of != pin.Version {
		return fmt.Errorf("%s says that it is made of %s, and the pinned version is %s: release %s%s", version, of, pin.Version, pin.Version, number)
	}
	return nil
}

// commit is a commit that holds exactly these files, for git fast-import: with it
// no setting of git changes a byte.
func commit(ref, parent, identity, message string, files map[string][]byte) io.Reader {
	var b bytes.Buffer
	fmt.Fprintf(&b, "commit %s\ncommitter %s\ndata %d\n%s\n", ref, identity, len(message), message)
	if parent != "" {
		fmt.Fprintf(&b, "from %s^0\ndeleteall\n", parent)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "M 644 inline %s\ndata %d\n%s\n", name, len(files[name]), files[name])
	}
	return &b
}

// git runs git in a directory and returns its output without the last line end.
func git(ctx context.Context, dir string, in io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stdin = dir, in
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("a release into a repository needs git: %w", err)
	}
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
