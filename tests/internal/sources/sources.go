// Package sources tells the go command what a test builds by itself.
package sources

import (
	"os"
	"path/filepath"
	"testing"
)

// DependOn reads folders of a test's sources, below root, which makes the go command
// run the test anew when they have changed: the result that it keeps depends on what the
// test has read, and not on what a process of the test has.
func DependOn(t *testing.T, root string, folders ...string) {
	t.Helper()
	for _, folder := range folders {
		if _, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(folder))); err != nil {
			t.Fatal(err)
		}
	}
}
