package both

import (
	"os"
	"os/signal"
	"syscall"
)

var rest = []os.Signal{syscall.SIGTERM}

func ctrlC() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
}

func kill() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, rest...)
}
