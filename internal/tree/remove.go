package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Edited names the files that we wrote into the directory and that somebody has
// changed since.
func Edited(dir string) (edited []string, err error) {
	m, err := Load(dir)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fmt.Errorf("%s was not written by fastdrain: it has no %s", dir, ManifestName)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		switch have, err := sumsOf(dir, name); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case !have.is(m.Files[name].Sum):
			edited = append(edited, name)
		}
	}
	return edited, nil
}

// CheckUnedited is an error if somebody has changed a file that we wrote into
// the directory: removing it would lose the change.
func CheckUnedited(dir string) error {
	edited, err := Edited(dir)
	if err == nil && len(edited) > 0 {
		err = fmt.Errorf("%s has been edited by hand%s, and the change would be lost: save it, remove the file, and run again; or lose it with -force",
			display(dir, edited[0]), andMore(edited))
	}
	return err
}

// Remove removes the files that we wrote into a directory, then the folders that
// are empty, the directory among them. It says how many files these were, and
// which other files are left. Call [CheckUnedited] before. A directory that is a
// symbolic link stays, and what it points to is emptied.
func Remove(dir string) (files int, kept []string, err error) {
	m, err := Load(dir)
	if err != nil || m == nil {
		return 0, nil, err
	}
	link, err := os.Lstat(dir)
	if err != nil {
		return 0, nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return 0, nil, err
	}
	RemoveLeftovers(dir)
	names := slices.Sorted(maps.Keys(m.Files))
	for _, name := range append(names, pendingName, ManifestName) {
		switch err := remove(filepath.Join(dir, filepath.FromSlash(name))); {
		case err == nil:
			files++
		case !errors.Is(err, fs.ErrNotExist):
			return files, nil, err
		}
	}
	var folders []string
	if link.IsDir() {
		folders = append(folders, dir)
	}
	err = Walk(dir, func(name string, d fs.DirEntry) error {
		if d.IsDir() {
			folders = append(folders, filepath.Join(dir, filepath.FromSlash(name)))
		} else {
			kept = append(kept, name)
		}
		return nil
	})
	if err != nil {
		return files, kept, err
	}
	slices.Reverse(folders) // the inner ones first
	for _, folder := range folders {
		_ = os.Remove(folder) // fails where something is left
	}
	return files, kept, nil
}
