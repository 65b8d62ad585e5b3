// Command probe makes one fault happen to a fasthttp server in this process, by
// real clients on real sockets, and says what they saw. It is built with
// upstream's fasthttp and with the patched copy from the same source; the tests
// in the directory above build it, run it and compare.
//
//	probe -list   lists the faults as JSON
//	probe NAME    runs one, and writes what was seen as JSON
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/valyala/fasthttp/prefork"
)

// fault is a scenario. run says with [rig.say] what happened, in terms that hold
// for every run.
type fault struct {
	// Name is what the test is called, and What the first column of the table.
	Name, What string
	// Want is what the patched server has to show.
	Want string
	// More names tests of the server that look deeper, if any.
	More []string

	run func(*rig)
}

// outcome is what a run writes to standard output.
type outcome struct {
	// Seen is what happened, and Problems what must not happen to any fault: an
	// account that does not add up, a goroutine or a file descriptor left.
	Seen     string
	Problems []string
}

func main() {
	switch {
	case os.Getenv(childEnv) != "" || prefork.IsChild():
		childMain()
	case len(os.Args) == 2 && os.Args[1] == "-list":
		write(faults)
	case len(os.Args) == 2:
		i := slices.IndexFunc(faults, func(f fault) bool { return f.Name == os.Args[1] })
		if i < 0 {
			fail("there is no fault %q; -list lists them", os.Args[1])
		}
		write(runFault(faults[i]))
	default:
		fail("usage: probe -list | probe NAME")
	}
}

func write(v any) {
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "probe: "+format+"\n", args...)
	os.Exit(1)
}

var faults = slices.Concat(slowFaults, closeFaults, tlsFaults, shutdownFaults, handlerFaults,
	messageFaults, limitFaults, listenerFaults, processFaults, clockFaults)
