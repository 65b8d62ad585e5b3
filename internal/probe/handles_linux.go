package probe

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// handles reports whether a process has a handler for the signal. A Go program always
// has one: its runtime's, which ends it.
func handles(pid int, sig os.Signal) (yes, known bool) {
	number, ok := sig.(syscall.Signal)
	if !ok {
		return false, false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false, false
	}
	for line := range strings.Lines(string(text)) {
		if mask, ok := strings.CutPrefix(line, "SigCgt:"); ok {
			bits, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			return bits>>(number-1)&1 == 1, err == nil
		}
	}
	return false, false
}
