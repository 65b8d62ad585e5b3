//go:build !linux

package acceptqueue

// shared cannot find out here whether another process has the socket, and an
// error says that it may have.
func shared(socket, Descriptors) error { return errNotLinux }

func newQuiet(poll pollStrategy) (strategy, string) { return poll, errNotLinux.Error() }
