package main

import (
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/fastdrain/fastdrain/internal/stopvet"
)

// vetTool runs the analyzers if go vet asks for it (go vet -vettool): it calls its
// tool with -V=full, with -flags, or with a file that ends in .cfg, and flags of
// the analyzers before it. It does not return then.
func vetTool(args []string) {
	if len(args) < 2 {
		return
	}
	last := args[len(args)-1]
	if len(args) == 2 && (last == "-V=full" || last == "-flags") || strings.HasSuffix(last, ".cfg") && isVetConfig(args[1:]) {
		unitchecker.Main(stopvet.Analyzers...)
	}
}

// isVetConfig says whether there are but flags before the last argument, so that
// no command of ours is meant.
func isVetConfig(args []string) bool {
	for _, arg := range args[:len(args)-1] {
		if !strings.HasPrefix(arg, "-") {
			return false
		}
	}
	return true
}
