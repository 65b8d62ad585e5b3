package project

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/upstream"
)

// Compiles says whether a patched copy compiles.
type Compiles string

// The outcomes of compiling a copy. The modules that a version requires may be
// out of reach; this is no fault of the patches.
const (
	CompilesYes     Compiles = "yes"
	CompilesNo      Compiles = "no"
	CompilesUnknown Compiles = "not tried"
)

// Checked is what a dry run over a version found.
type Checked struct {
	Version string
	// Unavailable says why the version could not be had. Nothing else is
	// known then.
	Unavailable string
	Pinned      bool
	// Patches is how many patches there are.
	Patches int
	// Failed are the patches that do not apply, by name.
	Failed map[string]bool
	// Errors are what is wrong, each a sentence or more.
	Errors []error
	// Changed are the declarations that the patches touch or that are watched,
	// and that are not what they are in the pinned version.
	Changed []string
	// Again are the statements and watched declarations among what has changed
	// that nobody has read yet, as [Pin.Statements] and [Pin.Watched] name them.
	// Since says which version each was read in last.
	Again []string
	Since map[string]string
	// Help is for the patches that do not apply, Diffs for what has changed, that
	// with something in Again first. They are there if they can be of use: the
	// version is newer than the pinned one, or has something wrong.
	Help  []Help
	Diffs []Diff
	// NewTests are upstream's tests of the root package that are not in the
	// pinned version and name what is patched or watched.
	NewTests []string

	hashes map[string]string // of what MarkRead notes
	// PinStale says how the pin and PATCHES.md disagree. It is looked for in
	// the pinned version only.
	PinStale []string
	Compiles Compiles
	// CompileNote is the compiler's output, or why it was not tried.
	CompileNote string
}

// Applies reports whether all patches apply and the result compiles.
func (c *Checked) Applies() bool { return len(c.Errors) == 0 && c.Compiles != CompilesNo }

// OK reports whether the version can be patched and has been read, or could not
// be had.
func (c *Checked) OK() bool {
	return c.Applies() && len(c.PinStale) == 0 && len(c.Again) == 0
}

// Newest is the version argument of check that stands for the newest release that
// the module proxy lists.
const Newest = "newest"

// CheckVersions resolves what a version argument of check means: nothing for
// the pinned version, a version, [Newest], or a range FROM..TO of all that the
// module proxy lists, both ends included.
func (p *Project) CheckVersions(ctx context.Context, arg string) ([]string, error) {
	pin, err := p.Pin()
	if err != nil {
		return nil, err
	}
	if arg == "" {
		return []string{pin.Version}, nil
	}
	if arg == Newest {
		versions, err := upstream.Versions(ctx, pin.Module)
		if err != nil {
			return nil, err
		}
		semver.Sort(versions)
		for _, v := range slices.Backward(versions) {
			if semver.Prerelease(v) == "" {
				return []string{v}, nil
			}
		}
		return nil, fmt.Errorf("the module proxy lists no release of %s", pin.Module)
	}
	from, to, isRange := strings.Cut(arg, "..")
	if !isRange {
		if !semver.IsValid(from) {
			return nil, fmt.Errorf("%q is not a version such as %s", from, pin.Version)
		}
		return []string{from}, nil
	}
	if !semver.IsValid(from) || !semver.IsValid(to) || semver.Compare(from, to) > 0 {
		return nil, fmt.Errorf("%q is not a range such as v1.0.0..%s, from an older to a newer version", arg, pin.Version)
	}
	versions, err := upstream.Versions(ctx, pin.Module)
	if err != nil {
		return nil, err
	}
	// The ends are asked for by name, so they are in, listed or not.
	versions = append(versions, from, to)
	semver.Sort(versions)
	versions = slices.Compact(versions)
	return slices.DeleteFunc(versions, func(v string) bool {
		return semver.Compare(v, from) < 0 || semver.Compare(v, to) > 0
	}), nil
}

// Check makes the patched copy of a version in a temporary directory and
// compiles it. progress is called with what is being done. The error is one that
// says nothing about the version, such as a damaged PATCHES.md.
func (p *Project) Check(ctx context.Context, version string, progress func(string)) (*Checked, error) {
	pin, err := p.Pin()
	if err != nil {
		return nil, err
	}
	set, err := p.Patches()
	if err != nil {
		return nil, err
	}
	r := &Checked{Version: version, Patches: len(set.Patches), Failed: map[string]bool{}, Compiles: CompilesUnknown}
	progress("taking " + version + " from the module cache")
	c, err := p.Copy(ctx, version)
	var unavailable *upstream.UnavailableError
	switch {
	case errors.As(err, &unavailable):
		r.Unavailable = unavailable.Msg
		return r, nil
	case err != nil && (c == nil || ctx.Err() != nil):
		return nil, err
	case err != nil:
		r.Errors = split(err)
	}
	r.Version, r.Pinned = c.Upstream.Version, c.Pinned
	for h := range c.Result.Errors {
		r.Failed[h.Patch] = true
	}
	r.compareWithPin(pin, c.Result)
	if err := p.help(ctx, pin, c, r); err != nil {
		return nil, err
	}
	if len(r.Errors) > 0 {
		r.CompileNote = "not every patch applies"
		return r, nil
	}
	progress("compiling " + version)
	r.Compiles, r.CompileNote, err = c.compile(ctx)
	return r, err
}

func (r *Checked) compareWithPin(pin *Pin, res *patch.Result) {
	r.Since = map[string]string{}
	if r.Pinned {
		r.PinStale = slices.Concat(stale(pin.Declarations, res.Declarations), stale(pin.Statements, res.Statements), stale(pin.Watched, res.Watched))
		if len(r.Errors) > 0 {
			// What is not there is named by the errors.
			r.PinStale = slices.DeleteFunc(r.PinStale, func(s string) bool { return strings.HasSuffix(s, notThere) })
		}
		r.Again = slices.Sorted(maps.Keys(pin.Unread))
		r.Since = pin.Unread
		return
	}
	r.hashes = pin.hashes(res)
	r.Again = pin.unread(r.Version, r.hashes)
	for _, name := range r.Again {
		r.Since[name] = pin.Version
	}
	for _, of := range [][2]map[string]string{{pin.Declarations, res.Declarations}, {pin.Watched, res.Watched}} {
		for name, h := range of[0] {
			if of[1][name] != h {
				r.Changed = append(r.Changed, name)
			}
		}
	}
	slices.Sort(r.Changed)
}

const notThere = " is in the pin, but PATCHES.md does not need it, or it is gone"

// stale says how the hashes of the pin are not those of the pinned version.
func stale(pin, have map[string]string) []string {
	var says []string
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if h, ok := pin[name]; !ok {
			says = append(says, name+" is not in the pin")
		} else if h != have[name] {
			says = append(says, name+" has another hash in the pin")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pin)) {
		if _, ok := have[name]; !ok {
			says = append(says, name+notThere)
		}
	}
	return says
}

// MarkRead notes in the pin that what Check found in a version has been read:
// what is in Again is not asked for any more, then and here. Of a patch that
// does not apply nothing can have been read.
func (p *Project) MarkRead(c *Checked) error {
	pin, err := p.Pin()
	if err != nil {
		return err
	}
	if c.Pinned {
		pin.Unread = nil
	} else {
		pin.setRead(c.Version, c.hashes)
	}
	if err := p.SetPin(pin); err != nil {
		return err
	}
	c.Again = nil
	return nil
}

// compile builds all packages of the copy.
func (c *Copy) compile(ctx context.Context) (Compiles, string, error) {
	dir, err := c.temporary()
	if err != nil {
		return CompilesUnknown, "", err
	}
	defer os.RemoveAll(dir)
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -mod=readonly"), "PWD="+dir)
		out, err := cmd.CombinedOutput()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return strings.TrimSpace(string(out)), err
	}
	// Packages may fail to load because modules are out of reach.
	if list, err := run("list", "-deps", "./..."); err != nil {
		if out, err := run("mod", "download"); err != nil {
			return CompilesUnknown, "its modules are not available: " + lastLine(out), ctx.Err()
		}
		return CompilesNo, list, ctx.Err()
	}
	// -trimpath keeps the name of the temporary directory out of the build
	// cache's keys, so that a second check is quick.
	if out, err := run("build", "-trimpath", "./..."); err != nil {
		return CompilesNo, out, ctx.Err()
	}
	return CompilesYes, "", nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// split takes a joined error apart.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, split(e)...)
		}
		return errs
	}
	return []error{err}
}
