package drainrun_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"
)

// A whole service. Nothing comes after Run but what the process does at its
// end.
func ExampleRun() {
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("hello") }}
	serve := func() error { return srv.ListenAndServe(":8080") }
	if err := drainrun.Run(srv, serve, drainrun.Options{}); err != nil {
		log.Fatal(err)
	}
}

// framework stands for one with hooks of its own, such as Fiber's App.
type framework struct{ server *fasthttp.Server }

func (f framework) Listen(addr string) error { return f.server.ListenAndServe(addr) }
func (f framework) Server() *fasthttp.Server { return f.server }
func (f framework) ShutdownWithContext(ctx context.Context) error {
	return f.server.ShutdownWithContext(ctx)
}

// With a framework, its own ShutdownWithContext runs its hooks.
func ExampleOptions() {
	app := framework{&fasthttp.Server{}}
	err := drainrun.Run(app.Server(), func() error { return app.Listen(":8080") }, drainrun.Options{
		Grace:    45 * time.Second,
		Shutdown: app.ShutdownWithContext,
		Logger:   log.Default(),
	})
	if err != nil {
		log.Fatal(err)
	}
}

// What a process may want to say when its drain was not graceful.
func ExampleDrainError() {
	explain := func(err error) string {
		var drain *drainrun.DrainError
		switch {
		case errors.Is(err, drainrun.ErrSecondSignal):
			return "somebody was impatient"
		case errors.Is(err, drainrun.ErrServeGoesOn):
			return "somebody else serves, or nobody"
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Sprintf("it took longer than %v", drainrun.DefaultGrace)
		case errors.As(err, &drain):
			return "the drain was " + drain.Report.Verdict()
		}
		return "the server could not serve"
	}
	fmt.Println(explain(&drainrun.DrainError{Err: drainrun.ErrSecondSignal}))
	// Output: somebody was impatient
}

func ExampleLogReport() {
	srv := &fasthttp.Server{Logger: log.Default()}
	_ = srv.Shutdown()
	report := drainrun.LogReport(srv) // drain graceful in 0s: 0 connections open at the stop, ...
	fmt.Println(report.Verdict())
	// Output: graceful
}
