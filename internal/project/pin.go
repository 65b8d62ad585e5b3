package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// Pin is the upstream version that the project is made for, and what in it our
// patches and files depend on.
//
// What has to be read again is named as in Statements and Watched. Two lists
// keep account of it. Whoever moves the pin ([Project.Repin]) gets both for
// nothing; [Project.MarkRead] is how somebody says that a thing has been read
// (fastdrain check -read), and until then [Project.Check] fails for the version.
type Pin struct {
	Module  string `json:"module"`
	Version string `json:"version"`
	// Sum is the hash of the version's files, as go.sum has it.
	Sum string `json:"sum"`
	// Declarations are the hashes of the declarations that the patches touch,
	// in the pinned version: file and declaration -> "sha256:...". Such a
	// declaration may change elsewhere than where the patches touch it.
	Declarations map[string]string `json:"declarations"`
	// Statements are the hashes of the statements that they depend on:
	// declaration, ": " and anchor -> "sha256:...". One that is another in a
	// newer version has to be read again, even if the patch still applies.
	Statements map[string]string `json:"statements"`
	// Watched are the hashes of the declarations that PATCHES.md watches. One
	// that is another or gone has to be read again.
	Watched map[string]string `json:"watched"`
	// Unread is what has not been read since the pin moved: name -> the version
	// that it was read in last. Check fails for the pinned version until it is
	// empty.
	Unread map[string]string `json:"unread,omitempty"`
	// Read is what has been read in other versions that are supported: version
	// -> name -> hash, "gone" for what is not there. Names with the pinned
	// version's hash are left out, so a version may have none.
	Read map[string]map[string]string `json:"read,omitempty"`
}

// gone is the hash of what is not there.
const gone = "gone"

// again is what has to be read again where a hash is not the pin's.
func (p *Pin) again() map[string]string {
	names := maps.Clone(p.Statements)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, p.Watched)
	return names
}

// hashes are what again is in the patched source res.
func (p *Pin) hashes(res *patch.Result) map[string]string {
	hashes := map[string]string{}
	for name, pinned := range p.Statements {
		decl, _, _ := strings.Cut(name, ": ")
		if h, ok := res.Statements[name]; ok {
			hashes[name] = h
		}
		// The hash of a declaration does not count the names of its locals.
		if res.Declarations[decl] == p.Declarations[decl] {
			hashes[name] = pinned
		}
	}
	for name := range p.Watched {
		hashes[name] = gone
		if h, ok := res.Watched[name]; ok {
			hashes[name] = h
		}
	}
	return hashes
}

// unread are the names that have to be read again in another version than the
// pinned one, whose hashes are given, sorted.
func (p *Pin) unread(version string, hashes map[string]string) []string {
	var names []string
	for name, pinned := range p.again() {
		if h, ok := hashes[name]; ok && h != pinned && h != p.Read[version][name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// setRead notes that a version has been read whose hashes are given.
func (p *Pin) setRead(version string, hashes map[string]string) {
	read := map[string]string{}
	for name, pinned := range p.again() {
		if h, ok := hashes[name]; ok && h != pinned {
			read[name] = h
		}
	}
	if p.Read == nil {
		p.Read = map[string]map[string]string{}
	}
	p.Read[version] = read
}

// after fills in what a pin says about reading, from the one that it follows;
// res is what it was made of. What was pinned had been read, and what was noted
// of other versions holds on. A name that the old pin does not know comes from
// a patch that is new, whose author has read it.
func (p *Pin) after(old *Pin, res *patch.Result) {
	was := old.again()
	for version, read := range old.Read {
		if version != p.Version {
			hashes := maps.Clone(was)
			maps.Copy(hashes, read)
			p.setRead(version, hashes)
		}
	}
	p.Unread = map[string]string{}
	for name, since := range old.Unread {
		delete(was, name) // nobody has read it there
		if p.again()[name] != "" {
			p.Unread[name] = since
		}
	}
	if old.Version == p.Version {
		return
	}
	p.setRead(old.Version, was)
	for _, name := range old.unread(p.Version, old.hashes(res)) {
		if _, ok := p.Unread[name]; !ok && p.again()[name] != "" {
			p.Unread[name] = old.Version
		}
	}
}

func (p *Project) pinFile() string { return filepath.Join(p.Server(), "pin.json") }

// Pin reads the pin.
func (p *Project) Pin() (*Pin, error) {
	data, err := os.ReadFile(p.pinFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no pin (%s): make one with fastdrain pin VERSION", p.pinFile())
	}
	if err != nil {
		return nil, err
	}
	var pin Pin
	if err := json.Unmarshal(data, &pin); err != nil {
		return nil, fmt.Errorf("%s: %w", p.pinFile(), err)
	}
	if pin.Module == "" || pin.Sum == "" || !semver.IsValid(pin.Version) {
		return nil, fmt.Errorf("%s is not complete: it needs module, version and sum", p.pinFile())
	}
	return &pin, nil
}

// SetPin writes the pin.
func (p *Project) SetPin(pin *Pin) error {
	var data bytes.Buffer
	enc := json.NewEncoder(&data)
	enc.SetEscapeHTML(false) // names hold "&"
	enc.SetIndent("", "  ")
	if err := enc.Encode(pin); err != nil {
		return err
	}
	return tree.WriteFile(p.pinFile(), data.Bytes(), 0o644)
}
