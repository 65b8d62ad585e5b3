package adopt

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastdrain/fastdrain/tests/internal/consumer"
)

// What a service takes into its repository is small, and nothing that scanners of
// secrets stop at: upstream's tests have private keys.
func TestCopyIsWhatABuildNeeds(t *testing.T) {
	const maxFiles, maxSize = 120, 1_300_000
	m := consumer.NewModule(t, "small")
	m.Write("main.go", "package main\n\nimport _ \"github.com/valyala/fasthttp\"\n\nfunc main() {}\n")
	m.Vendor(command)
	var files, size int
	err := filepath.WalkDir(filepath.Join(m.Dir, consumer.CopyDir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files++
		size += len(data)
		if strings.HasSuffix(path, "_test.go") || strings.Contains(filepath.ToSlash(path), "/testdata/") || bytes.Contains(data, []byte("PRIVATE KEY-----")) {
			t.Errorf("%s is in the copy", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d bytes", files, size)
	if files > maxFiles || size > maxSize || files < 50 {
		t.Errorf("the copy has %d files of %d bytes, want at most %d of %d", files, size, maxFiles, maxSize)
	}
	// What is told to look at the service, as ./..., does not go into the copy.
	if packages := m.Run("go", "list", "./..."); strings.Contains(packages, "fasthttp") || strings.Count(packages, "\n") != 1 {
		t.Errorf("the packages of the service are:\n%s", packages)
	}
}
