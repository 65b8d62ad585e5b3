// Command asks asks for signals in every way that package signals has to
// understand, and in some that it has to say it does not.
package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

var (
	c        = make(chan os.Signal, 1)
	variable = []os.Signal{syscall.SIGTERM, syscall.SIGHUP}
	value    = signal.Notify
)

//go:noinline
func constant() { signal.Notify(c, syscall.SIGTERM) }

//go:noinline
func interrupt() { signal.Notify(c, os.Interrupt) }

//go:noinline
func both() { signal.Notify(c, os.Interrupt, syscall.SIGTERM) }

//go:noinline
func many() {
	signal.Notify(c, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTERM, os.Interrupt, os.Kill)
}

//go:noinline
func ofVariable() { signal.Notify(c, variable...) }

//go:noinline
func all() { signal.Notify(c) }

//go:noinline
func inContext() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	return ctx
}

//go:noinline
func inGoroutine() {
	done := make(chan struct{})
	go func() {
		signal.Notify(c, syscall.SIGTERM)
		close(done)
	}()
	<-done
}

// The caller knows.
//
//go:noinline
func wrapper(n int, sigs ...os.Signal) {
	if n > 3 {
		println("many")
	}
	signal.Notify(c, sigs...)
}

type server struct{ name string }

//go:noinline
func (s *server) outer(sigs ...os.Signal) { wrapper(len(s.name), sigs...) }

//go:noinline
func useWrapper() { wrapper(1, syscall.SIGHUP) }

//go:noinline
func useOuter() { (&server{"name"}).outer(syscall.SIGQUIT, syscall.SIGTERM) }

// It sends the signal, and does not ask for it.
//
//go:noinline
func sender() {
	cmd := exec.Command("true")
	if cmd.Start() == nil {
		cmd.Process.Signal(syscall.SIGTERM)
	}
	signal.Notify(c, syscall.SIGHUP)
}

// Either of the two: nobody knows.
//
//go:noinline
func either() {
	s := syscall.SIGINT
	if len(os.Args) > 3 {
		s = syscall.SIGTERM
	}
	signal.Notify(c, s)
}

//go:noinline
func grown() {
	s := []os.Signal{os.Interrupt}
	if len(os.Args) > 3 {
		s = append(s, syscall.SIGTERM)
	}
	signal.Notify(c, s...)
}

//go:noinline
func captured(sigs ...os.Signal) func() { return func() { signal.Notify(c, sigs...) } }

// Who calls it is not to be seen.
type asker interface{ ask(sigs ...os.Signal) }

type handed struct{ name string }

func (h *handed) ask(sigs ...os.Signal) { wrapper(len(h.name), sigs...) }

type silent struct{}

func (silent) ask(...os.Signal) {}

//go:noinline
func someAsker() asker {
	if len(os.Args) > 3 {
		return silent{}
	}
	return &handed{"name"}
}

func main() {
	someAsker().ask(syscall.SIGTERM)
	constant()
	interrupt()
	both()
	many()
	ofVariable()
	all()
	inContext()
	inGoroutine()
	useWrapper()
	useOuter()
	sender()
	either()
	grown()
	captured(syscall.SIGTERM)()
	value(c, syscall.SIGTERM)
	<-c
}
