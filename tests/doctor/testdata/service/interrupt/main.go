// It drains on Ctrl-C, and only then.
package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/valyala/fasthttp"

	"example.com/services/listen"
)

func main() {
	if len(os.Args) > 1 {
		// SIGTERM occurs in it, but it is sent and not asked for.
		cmd := exec.Command(os.Args[1])
		cmd.Start()
		cmd.Process.Signal(syscall.SIGTERM)
	}
	srv := &fasthttp.Server{Handler: func(*fasthttp.RequestCtx) { listen.Work() }}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	done := make(chan struct{})
	go func() {
		<-stop
		srv.Shutdown()
		close(done)
	}()
	srv.Serve(listen.On())
	<-done
}
