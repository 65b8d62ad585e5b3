package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// availableMemory is how many bytes the kernel could give out, 0 where it does
// not say.
func availableMemory() int {
	return int(procValue("/proc/meminfo", "MemAvailable", 0)) << 10
}

// procValue reads the number in a line "name: number ..." of a file of /proc.
func procValue(file, name string, or uint64) uint64 {
	var n uint64
	if _, err := fmt.Sscan(procText(file, name), &n); err != nil {
		return or
	}
	return n
}

func procText(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// machine describes the machine in a line.
func machine() string {
	model := procText("/proc/cpuinfo", "model name")
	if model == "" {
		model = runtime.GOARCH
	}
	s := fmt.Sprintf("%d processors (%s)", runtime.NumCPU(), model)
	if kb := procValue("/proc/meminfo", "MemTotal", 0); kb > 0 {
		s += fmt.Sprintf(", %.0f GB", float64(kb)/(1<<20))
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		s += ", Linux " + strings.TrimSpace(string(release))
	} else {
		s += ", " + runtime.GOOS
	}
	return s
}
