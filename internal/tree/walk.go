package tree

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Walk calls f for all that is in a directory and below it, by the path in it, with
// slashes. The directory itself may be a symbolic link, which [filepath.WalkDir]
// takes for a file; links in it are not followed. What f returns means what it means
// for that.
func Walk(dir string, f func(name string, d fs.DirEntry) error) error {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return f(filepath.ToSlash(rel), d)
	})
}

// ReadRegular reads a file in a directory by its path with slashes. What is no
// regular file is not read: a named pipe would never end, and a link may lead
// elsewhere tomorrow.
func ReadRegular(dir, name string) (text []byte, regular bool, err error) {
	file := filepath.Join(dir, filepath.FromSlash(name))
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() {
		return nil, false, err
	}
	text, err = os.ReadFile(file)
	return text, true, err
}
