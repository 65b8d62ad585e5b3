//go:build !unix

package acceptqueue

// acceptable cannot ask a listening socket here.
func acceptable(socket) (waits, ok bool) { return false, false }

// unblock has nothing to do where a descriptor cannot become a blocking one.
func unblock(socket, Descriptors) (restore func()) { return nil }
