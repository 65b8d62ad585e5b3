package upgrade

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

	"github.com/fastdrain/fastdrain/internal/tree"
)

// journal is what an upgrade writes into the project, complete, from before the
// first file to after the last one. It is there or not: it is renamed into place.
type journal struct {
	Version string            `json:"version"`
	Files   map[string][]byte `json:"files"`
}

const journalName = "journal.json"

// endJournal writes what the journal of an upgrade that was killed says. Writing a
// file again that was written already does no harm.
func endJournal(root, base string) (version string, ended bool, err error) {
	file := filepath.Join(base, journalName)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	var j journal
	if err := json.Unmarshal(text, &j); err != nil {
		return "", false, fmt.Errorf("%s does not parse (remove it if git status shows nothing): %w", file, err)
	}
	for _, name := range slices.Sorted(maps.Keys(j.Files)) {
		if err := tree.WriteFile(filepath.Join(root, name), j.Files[name], 0o644); err != nil {
			return j.Version, false, err
		}
	}
	return j.Version, true, os.Remove(file)
}

// write is the end of an upgrade: what has changed in the scratch copy goes into
// the project.
func (u *Upgrade) write(base string) (*Done, error) {
	was, sum, err := read(u.Project.Root)
	if err != nil {
		return nil, err
	}
	if sum != u.passed.Project {
		return nil, errors.New("the project's files have changed meanwhile, so nothing was written: run the same command again")
	}
	now, _, err := read(u.scratch.Root)
	if err != nil {
		return nil, err
	}
	j := journal{Version: u.Version, Files: map[string][]byte{}}
	for name, text := range now {
		if old, ok := was[name]; !ok || !bytes.Equal(old, text) {
			j.Files[name] = text
		}
	}
	pin, err := u.scratch.Pin()
	if err != nil {
		return nil, err
	}
	done := &Done{
		Written: slices.Sorted(maps.Keys(j.Files)),
		Unread:  slices.Sorted(maps.Keys(pin.Unread)),
	}
	if done.Mentions, err = u.mentions(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	if err := tree.WriteFile(filepath.Join(base, journalName), text, 0o644); err != nil {
		return nil, err
	}
	if _, _, err := endJournal(u.Project.Root, base); err != nil {
		return nil, err
	}
	return done, os.RemoveAll(filepath.Dir(u.scratch.Root))
}
