//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// leaveWith ends the context when the terminal closes, unless nohup wants it ignored, and
// when whoever reads what the command says has gone, as head does: either would end the
// command at once otherwise, and leave behind what it has started.
func leaveWith(ctx context.Context) context.Context {
	if !signal.Ignored(syscall.SIGHUP) {
		ctx, _ = signal.NotifyContext(ctx, syscall.SIGHUP) // asked for to the end
	}
	ctx, stop := context.WithCancel(ctx)
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	go func() {
		for range pipe { // a socket's, too
			if gone(os.Stdout) || gone(os.Stderr) {
				stop()
			}
		}
	}()
	return ctx
}

// gone says whether nobody reads a pipe, or a socket, any more: see poll(2).
func gone(f *os.File) bool {
	fds := []unix.PollFd{{Fd: int32(f.Fd())}} // #nosec G115
	_, err := unix.Poll(fds, 0)
	return err == nil && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
}
