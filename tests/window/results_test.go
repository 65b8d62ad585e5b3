//go:build linux

package window

import (
	"fmt"
	"strings"

	"github.com/fastdrain/fastdrain/internal/lab"
	"github.com/fastdrain/fastdrain/internal/tree"
)

// row is what one load has shown.
type row struct {
	load              load
	upstream, patched *lab.Result
}

// writeResults writes the table in Markdown. It is written of a run that exceeds a
// limit, too.
func writeResults(path string, rows []row) error {
	var b strings.Builder
	b.WriteString("| load | stops | connections | requests | lost: upstream | patched | patched, of 1,000 connections | executed, unanswered: upstream | patched | a stop takes: upstream | patched | at most |\n" +
		"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range rows {
		up, ours := r.upstream, r.patched
		connections, share := "–", "–" // a proxy does not say
		if ours.Connections > 0 {
			connections = fmt.Sprint(ours.Connections)
			share = fmt.Sprintf("%.2f", 1000*float64(ours.Lost)/float64(ours.Connections))
		}
		fmt.Fprintf(&b, "| %s: %s | %d | %s | %d | %d | %d | %s | %d | %d | %.2f s | %.2f s | %.2f s |\n",
			r.load.name, r.load.what, ours.Stops, connections, ours.Requests, up.Lost, ours.Lost, share,
			up.ExecutedUnanswered, ours.ExecutedUnanswered, up.Shutdown.Median, ours.Shutdown.Median, ours.Shutdown.Max)
	}
	return tree.WriteFile(path, []byte(b.String()), 0o644)
}
