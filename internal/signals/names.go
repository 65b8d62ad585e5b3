package signals

import (
	"fmt"
	"syscall"
)

// The numbers that are the same on all platforms that Go has signals on.
var names = map[syscall.Signal]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 6: "SIGABRT", 9: "SIGKILL", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
}

// Name is "SIGTERM", or "signal 28" where the number means something else on
// each platform.
func Name(s syscall.Signal) string {
	if name, ok := names[s]; ok {
		return name
	}
	return fmt.Sprintf("signal %d", int(s))
}
