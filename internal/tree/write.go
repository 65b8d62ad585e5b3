package tree

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// stagePrefix begins the names of the folders that new contents are staged in.
const stagePrefix = ".fastdrain-stage-"

// isLeftover says of a name in a directory of ours whether it is that of a stage
// or of a file that was being written.
func isLeftover(name string) bool {
	return strings.HasPrefix(name, stagePrefix) || strings.HasPrefix(name, ".fastdrain-") && strings.HasSuffix(name, ".tmp")
}

// RemoveLeftovers removes what updates that were killed have left in a directory:
// stages, and files under their temporary names.
func RemoveLeftovers(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if isLeftover(e.Name()) {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// write stages all contents first: a full disk is noticed before anything is
// changed, and leaves nothing behind. begin is called before the first file is
// replaced or removed.
func write(p Plan, changes Changes, begin func() error) error {
	if len(changes.Written) > 0 {
		if _, err := os.Stat(p.Dir); errors.Is(err, fs.ErrNotExist) {
			// It stays if anything is in it.
			defer os.Remove(p.Dir)
		}
		if err := os.MkdirAll(p.Dir, 0o755); err != nil {
			return err
		}
		stage, err := os.MkdirTemp(p.Dir, stagePrefix)
		if err != nil {
			return err
		}
		defer os.RemoveAll(stage)
		for _, name := range changes.Written {
			if err := WriteFile(filepath.Join(stage, filepath.FromSlash(name)), p.Files[name], 0o444); err != nil {
				return err
			}
		}
		if err := begin(); err != nil {
			return err
		}
		for _, name := range changes.Written {
			if p.beforeReplace != nil {
				if err := p.beforeReplace(name); err != nil {
					return err
				}
			}
			to := filepath.Join(p.Dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			if err := rename(filepath.Join(stage, filepath.FromSlash(name)), to); err != nil {
				return err
			}
		}
	}
	if len(changes.Written) == 0 {
		if err := begin(); err != nil {
			return err
		}
	}
	for _, name := range changes.Removed {
		file := filepath.Join(p.Dir, filepath.FromSlash(name))
		if err := remove(file); err != nil {
			return err
		}
		// Folders that are empty now go too.
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if os.Remove(filepath.Join(p.Dir, filepath.FromSlash(dir))) != nil {
				break
			}
		}
	}
	return nil
}

// remove removes a file, which Windows does not do if it is read-only.
func remove(file string) error {
	err := os.Remove(file)
	if errors.Is(err, fs.ErrPermission) && os.Chmod(file, 0o644) == nil {
		err = os.Remove(file)
	}
	return err
}
