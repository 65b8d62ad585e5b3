// Package upgrade moves the project to another upstream version, all or nothing.
//
// It works in a scratch copy of the project, in build/upgrade, which git ignores.
// There the version is pinned and patched, the requirements are raised, the
// documents brought up to date, and the suites run. Only when all of that has
// passed are the changed files written into the project. Until then the project is
// not touched; an upgrade that was interrupted goes on where it was, as a step
// that has passed is not repeated while the project's files are what they were.
//
// The files are written under temporary names first and then renamed, with a
// journal beside the scratch copy. If the process is killed between two renames,
// the next upgrade, of whatever version, ends what was begun.
package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/semver"

	"github.com/fastdrain/fastdrain/internal/project"
)

// Upgrade is a move to a version.
type Upgrade struct {
	Project *project.Project
	// Version is the version to move to.
	Version string
	// Suites are the commands that have to pass in the scratch copy, each a
	// target of make. Tests have others in their place.
	Suites [][]string
	// Say is called with what is being done, and what took how long.
	Say func(format string, args ...any)

	old     *project.Pin
	scratch *project.Project
	passed  *stamps
}

// Suites are the targets of make that a version has to pass: our tests on it,
// upstream's suite, and both on the older versions that are supported.
func Suites() [][]string {
	var suites [][]string
	for _, target := range []string{"vet", "test-server", "test-upstream", "test-versions"} {
		suites = append(suites, []string{"make", "--no-print-directory", target})
	}
	return suites
}

// Done is what an upgrade did.
type Done struct {
	// Written are the files that it wrote, by path.
	Written []string
	// Unread is what has to be read again until fastdrain check -read says so.
	Unread []string
	// Mentions are lines that name the old version and were left alone.
	Mentions []string
}

// Run moves the project. An error that is not one of the file system's or of the
// context says what does not fit the version; the project is as it was then.
func (u *Upgrade) Run(ctx context.Context) (*Done, error) {
	if !semver.IsValid(u.Version) {
		return nil, fmt.Errorf("%q is not a version such as v1.2.3", u.Version)
	}
	base := filepath.Join(u.Project.Root, "build", "upgrade")
	unlock, err := lock(base)
	if err != nil {
		return nil, err
	}
	defer unlock()
	switch version, ended, err := endJournal(u.Project.Root, base); {
	case err != nil:
		return nil, err
	case ended:
		u.Say("ended the upgrade to %s, which was interrupted while it wrote", version)
	}
	if u.old, err = u.Project.Pin(); err != nil {
		return nil, err
	}
	if u.old.Version == u.Version {
		return nil, fmt.Errorf("%s is pinned already", u.Version)
	}
	if err := u.copy(filepath.Join(base, u.Version)); err != nil {
		return nil, err
	}
	for _, s := range u.steps() {
		if err := u.step(ctx, s); err != nil {
			return nil, err
		}
	}
	return u.write(base)
}

// step is a part of the work in the scratch copy.
type step struct {
	name string
	run  func(context.Context) error
}

func (u *Upgrade) steps() []step {
	steps := []step{
		{"pin and patch " + u.Version, u.pin},
		{"raise the requirements", u.require},
		{"bring the documents up to date", u.documents},
	}
	for _, suite := range u.Suites {
		steps = append(steps, step{suite[len(suite)-1], func(ctx context.Context) error { return u.command(ctx, suite) }})
	}
	return steps
}

func (u *Upgrade) step(ctx context.Context, s step) error {
	if u.passed.has(s.name) {
		u.Say("%s: has passed", s.name)
		return nil
	}
	u.Say("%s ...", s.name)
	begin := time.Now()
	if err := s.run(ctx); err != nil {
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("interrupted in %q; the same command goes on there", s.name))
		}
		return fmt.Errorf("%s: %w\nNothing has been changed. The work is in %s; mend PATCHES.md or our files in the project, and run the same command again", s.name, err, u.scratch.Root)
	}
	u.Say("%s: %v", s.name, time.Since(begin).Round(time.Second))
	return u.passed.add(s.name)
}

// pin pins the version in the scratch copy and writes its server/.
func (u *Upgrade) pin(ctx context.Context) error {
	if _, _, _, err := u.scratch.Repin(ctx, u.Version); err != nil {
		return fmt.Errorf("%w\nfastdrain check -upstream %s shows the places, and blocks to begin with", err, u.Version)
	}
	_, err := u.scratch.Vendor(ctx, "")
	return err
}

// lock keeps a second upgrade out.
func lock(base string) (unlock func(), err error) {
	if err := os.MkdirAll(base, 0o755); err != nil {
		return nil, err
	}
	return tryLock(filepath.Join(base, "lock"))
}
