package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Lock waits until nobody else changes the copy in a folder, or until ctx ends: a lock
// of the system cannot be told to wait no longer, so it is left behind then. The lock is
// a file in the folder for temporary files, as it must not be left in the repository of
// a service.
func Lock(ctx context.Context, dir string) (unlock func(), err error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(realDir(abs)))
	name := fmt.Sprintf("fastdrain-%d-%s.lock", os.Getuid(), hex.EncodeToString(sum[:8]))
	locked := make(chan func(), 1)
	failed := make(chan error, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(filepath.Join(os.TempDir(), name)).Lock()
		if err != nil {
			failed <- err
			return
		}
		locked <- unlock
	}()
	select {
	case unlock := <-locked:
		return unlock, nil
	case err := <-failed:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
