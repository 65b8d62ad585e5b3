package callgrind

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// profile is a run's executions.
type profile struct {
	total uint64            // of all objects: the binary, the vDSO, valgrind's own
	at    map[uint64]uint64 // of the binary's instructions, by address
}

// parse reads callgrind's output, written with --dump-instr=yes and without
// compression. The format is in the manual's chapter "Callgrind Format
// Specification".
func parse(r io.Reader, binary string) (*profile, error) {
	p := &profile{at: map[uint64]uint64{}}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	n, object, inclusive := 0, "", false
	for in.Scan() {
		n++
		line := in.Text()
		switch {
		case strings.HasPrefix(line, "0x"):
			// "instr line Ir". After a calls= line it is the cost of the called
			// function, which is counted there.
			if inclusive {
				inclusive = false
				continue
			}
			fields := strings.Fields(line)
			if len(fields) < 3 {
				return nil, fmt.Errorf("line %d: %q is not an address, a line and a count", n, line)
			}
			at, err := strconv.ParseUint(fields[0], 0, 64)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			count, err := strconv.ParseUint(fields[2], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			p.total += count
			if sameFile(object, binary) {
				p.at[at] += count
			}
		case strings.HasPrefix(line, "calls="):
			inclusive = true
		case strings.HasPrefix(line, "ob="):
			object = line[len("ob="):]
		case strings.HasPrefix(line, "positions:"):
			if line != "positions: instr line" {
				return nil, fmt.Errorf("line %d: %q, want instruction addresses and lines", n, line)
			}
		case strings.HasPrefix(line, "events:"):
			if !strings.HasPrefix(line, "events: Ir") {
				return nil, fmt.Errorf("line %d: %q, want instructions executed (Ir)", n, line)
			}
		}
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if len(p.at) == 0 {
		return nil, errors.New("it has no instruction of the binary")
	}
	return p, nil
}

func sameFile(a, b string) bool {
	return filepath.Base(a) == filepath.Base(b)
}
