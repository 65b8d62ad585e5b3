package signal

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func ctrlC() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)                                                          // want `stopsignal: .*SIGTERM is not asked for`
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGHUP, syscall.SIGINT) // want `stopsignal: .*SIGTERM is not asked for`
	defer stop()
	<-ctx.Done()
}

func reload() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
}
