package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ManifestName is the name of the manifest in a directory.
const ManifestName = ".fastdrain.json"

// NoteName is the name of the note in a copy that says what the go.mod and go.sum of
// its users were before, and what has been changed in them: see internal/service.
const NoteName = ".fastdrain.undo.json"

// pendingName is the name of the note of an update that is under way, or was
// interrupted: every content that a file of ours may have meanwhile, by path.
const pendingName = ".fastdrain.pending.json"

// Manifest lists the files that we wrote into a directory.
type Manifest struct {
	// Note tells a person who opens the file what it is.
	Note string `json:"note"`
	// Upstream is the module and version that the files were made of.
	Upstream string `json:"upstream"`
	// Inputs is a hash of everything that the files were made of, for
	// [Current]. It may be empty.
	Inputs string `json:"inputs,omitempty"`
	// Files are the files by path, with slashes.
	Files map[string]Entry `json:"files"`
}

// Entry is what a file was when we wrote it.
type Entry struct {
	// Sum is the SHA-256 of the content in hexadecimal digits.
	Sum string `json:"sha256"`
	// Size is in bytes. ModTime is in nanoseconds since 1970, and 0 in a
	// manifest that is meant for version control, where times mean nothing.
	Size    int64 `json:"size"`
	ModTime int64 `json:"mtime,omitempty"`
}

const note = "Written by fastdrain vendor: the files it wrote here. Do not edit; changes belong into PATCHES.md."

// Load reads the manifest of a directory. It is nil without an error if there
// is none.
func Load(dir string) (*Manifest, error) {
	var m Manifest
	if found, err := loadJSON(filepath.Join(dir, ManifestName), &m); !found || err != nil {
		return nil, err
	}
	return &m, nil
}

// Written says which files of a directory are from us, by path, those of an
// update that was interrupted included.
func Written(dir string) (map[string]bool, error) {
	names := map[string]bool{}
	m, err := Load(dir)
	if err != nil {
		return nil, err
	}
	if m != nil {
		for name := range m.Files {
			names[name] = true
		}
	}
	pending := map[string][]string{}
	if _, err := loadJSON(filepath.Join(dir, pendingName), &pending); err != nil {
		return nil, err
	}
	for name := range pending {
		names[name] = true
	}
	return names, nil
}

func (m *Manifest) save(dir string) error {
	m.Note = note
	return saveJSON(filepath.Join(dir, ManifestName), m)
}

func loadJSON(file string, v any) (found bool, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s is damaged: %w; take it back from version control, or remove it and run vendor again", file, err)
	}
	return true, nil
}

func saveJSON(file string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(file, append(data, '\n'), 0o644)
}

// Current reports whether the directory holds exactly what was written into it
// from the same inputs. A file's time and size are trusted when they are those
// of the manifest, and its content is read otherwise.
func Current(dir, inputs string) bool {
	m, err := Load(dir)
	if err != nil || m == nil || m.Inputs == "" || m.Inputs != inputs {
		return false
	}
	if _, err := os.Lstat(filepath.Join(dir, pendingName)); err == nil {
		return false
	}
	for name, e := range m.Files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() != e.Size {
			return false
		}
		if info.ModTime().UnixNano() == e.ModTime {
			continue
		}
		if data, err := os.ReadFile(path); err != nil || Sum(data) != e.Sum {
			return false
		}
	}
	return true
}

// Sum is the SHA-256 of data in hexadecimal digits.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// WriteFile writes a file under a temporary name beside it and renames it, so
// that there is never half a file. Folders are made as needed.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".fastdrain-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when all went well
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return rename(f.Name(), path)
}

// rename replaces to by from. Windows does not replace a read-only file.
func rename(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, fs.ErrPermission) {
		if os.Chmod(to, 0o644) == nil {
			err = os.Rename(from, to)
		}
	}
	return err
}
