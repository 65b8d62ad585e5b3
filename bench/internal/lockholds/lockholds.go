// Package lockholds measures how long the patched server holds the locks that a
// new connection waits for. There is nothing to measure it by from outside, so a
// copy of the server is made whose locks look at the clock.
package lockholds

import (
	"context"
	_ "embed"

	"github.com/fastdrain/fastdrain/bench/internal/control"
	"github.com/fastdrain/fastdrain/internal/project"
)

// Name is the name of the [expvar.Func] in which such a copy shows its holds: the
// 99th percentile and the longest, in seconds, as a [2]float64. Reading it begins
// anew.
const Name = "fasthttp_lock_holds"

//go:embed patch.md
var patch []byte

//go:embed mutex.go.txt
var mutex []byte

// Write writes such a copy into dir, which has to be new, empty, or written by an
// earlier call.
func Write(ctx context.Context, p *project.Project, dir string) error {
	return control.WritePatched(ctx, p, patch, map[string][]byte{"holdmutex.go": mutex}, dir)
}
