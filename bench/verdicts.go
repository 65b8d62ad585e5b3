package main

import (
	"fmt"
	"io"

	"github.com/fastdrain/fastdrain/bench/internal/figure"
)

// writeVerdicts writes a line for each limit, and where an exceeded one comes
// from if its figure knows.
func (b *bench) writeVerdicts(w io.Writer, verdicts []figure.Verdict) {
	if len(verdicts) == 0 {
		return
	}
	which := "Limits of the patched server:"
	if b.gate {
		which = "Limits of the gate:"
	}
	fmt.Fprintf(w, "\n%s\n", which)
	for _, v := range verdicts {
		fmt.Fprintf(w, "  %-9s %s\n", mark(v), v)
		if v.Exceeded() {
			for _, site := range v.Figure.Sites {
				fmt.Fprintf(w, "            %s\n", site)
			}
		}
	}
}

func mark(v figure.Verdict) string {
	switch {
	case v.Open():
		return "open"
	case v.Exceeded():
		return "EXCEEDED"
	case v.Noisy():
		return "noise"
	}
	return "ok"
}
