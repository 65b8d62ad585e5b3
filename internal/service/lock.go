package service

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Lock waits until nobody else changes the copy in a folder. The lock is a file in
// the folder for temporary files, as it must not be left in the repository of a
// service.
func Lock(dir string) (unlock func(), err error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(realDir(abs)))
	name := fmt.Sprintf("fastdrain-%d-%s.lock", os.Getuid(), hex.EncodeToString(sum[:8]))
	return lockedfile.MutexAt(filepath.Join(os.TempDir(), name)).Lock()
}
