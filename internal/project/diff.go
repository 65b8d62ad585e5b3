package project

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
)

// WriteDiff writes an ordinary unified diff from the pristine to the patched
// files, our files and the module files included, that git apply takes in the
// root of an upstream tree.
func (c *Copy) WriteDiff(w io.Writer) error {
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		var old []byte
		oldName, mode := "/dev/null", "new file mode 100644\n"
		if f := c.Pristine[name]; f != nil {
			old, oldName, mode = f.Data, "a/"+name, ""
		}
		if mode == "" && bytes.Equal(old, c.Files[name]) {
			continue
		}
		body := diff.Diff(oldName, old, "b/"+name, c.Files[name])
		// The library begins with a line "diff old new", where git has one of
		// its own.
		if i := bytes.IndexByte(body, '\n'); i >= 0 {
			body = body[i+1:]
		}
		if _, err := fmt.Fprintf(w, "diff --git a/%s b/%s\n%s%s", name, name, mode, body); err != nil {
			return err
		}
	}
	return nil
}
