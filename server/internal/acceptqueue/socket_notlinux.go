//go:build !linux

package acceptqueue

// lengthOf cannot ask here.
func lengthOf(socket) (length, limit int, ok bool) { return 0, 0, false }

// interruptThreads cannot say here which threads there are.
func interruptThreads() {}
