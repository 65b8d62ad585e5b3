//go:build unix && !linux

package probe

import "syscall"

// groupLives reports whether there are processes in the group.
func groupLives(group int) bool { return syscall.Kill(-group, 0) == nil }
