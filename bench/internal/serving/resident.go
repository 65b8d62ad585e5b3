package serving

import (
	"fmt"
	"os"
	"strings"
)

// resident reads a line such as VmRSS or VmHWM of the process's status, in
// bytes. It is 0 where there is no /proc.
func resident(name string) uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			var kb uint64
			if _, err := fmt.Sscan(rest, &kb); err == nil {
				return kb << 10
			}
		}
	}
	return 0
}

// resetPeak lets VmHWM begin anew, where the kernel can.
func resetPeak() {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}
