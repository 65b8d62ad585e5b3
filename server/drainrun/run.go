package drainrun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// DefaultGrace is how long a drain may take if [Options.Grace] is zero. It
// leaves ten seconds of the 30 that Kubernetes gives a pod by default
// (terminationGracePeriodSeconds) for a preStop sleep and for what the process
// does after its drain.
const DefaultGrace = 20 * time.Second

// serveCheck is how often Run looks whether a Serve that a signal has overtaken
// has begun at last.
const serveCheck = 50 * time.Millisecond

// ErrSecondSignal is in the error of [Run] if a second signal ended the drain.
var ErrSecondSignal = errors.New("a second signal came")

// ErrServeGoesOn is in the error of [Run] if the function that was to serve has not
// returned when its time was up: it waits for something else, or other processes
// serve, as the children of a prefork master do, which Run does not know of.
var ErrServeGoesOn = errors.New("serve has not returned")

// Options says how [Run] stops a server. The zero value is a good choice.
type Options struct {
	// Grace is how long the drain may take from the signal on, the lame duck
	// included. Choose it shorter than the time after which the orchestrator
	// kills the process. Zero means [DefaultGrace].
	Grace time.Duration

	// Shutdown takes the place of the server's own ShutdownWithContext, for a
	// framework that has hooks there, such as app.ShutdownWithContext of
	// Fiber. It has to call the server's in its turn.
	Shutdown func(context.Context) error

	// Logger is where Run writes. Nil means the server's Logger, and stderr if
	// it has none. A framework may have set one that drops everything, as Fiber
	// does: take log.Default() there.
	Logger fasthttp.Logger
}

// DrainError is the error of [Run] for a drain that was not graceful.
type DrainError struct {
	// Report is the account of the drain.
	Report fasthttp.DrainReport

	// Err is why the drain ended before its time: [ErrSecondSignal], an error
	// that wraps [context.DeadlineExceeded], or nil if it ended by itself but
	// had to close connections.
	Err error
}

// Error says what the verdict is, and why.
func (e *DrainError) Error() string {
	text := "the drain was not graceful but " + e.Report.Verdict()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns e.Err.
func (e *DrainError) Unwrap() error { return e.Err }

// Run calls serve, which has to serve srv until srv is shut down, waits for
// SIGTERM or SIGINT, and then drains srv. It returns when the drain has ended
// and serve has returned:
//
//	log.SetFlags(0)
//	err := drainrun.Run(srv, func() error { return srv.ListenAndServe(":8080") }, drainrun.Options{})
//	if err != nil {
//		log.Fatal(err) // exit code 1
//	}
//
// The error is nil if the drain was graceful and serve has returned, and a
// [DrainError] if not.
// An error of serve, such as an address that is in use, ends Run too;
// connections that are open then are drained first. If somebody else calls
// Shutdown, Run waits for that drain as if a signal had come.
//
// At a second signal Run returns at once, with [ErrSecondSignal] in its error.
// Connections that are left then, or at the end of the grace, end with the
// process; with Drain.ForceClose the drain closes them.
//
// Run logs the beginning of the drain and its account (see [LogReport]). While it runs the process does not end by the two
// signals; afterwards they have their effect again.
func Run(srv *fasthttp.Server, serve func() error, o Options) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)

	served := make(chan error, 1)
	go func() { served <- serve() }()

	r := runner{srv: srv, options: o, served: served}
	if r.options.Grace <= 0 {
		r.options.Grace = DefaultGrace
	}
	if r.options.Shutdown == nil {
		r.options.Shutdown = srv.ShutdownWithContext
	}
	if r.options.Logger == nil {
		r.options.Logger = logger(srv)
	}
	select {
	case sig := <-signals:
		r.options.Logger.Printf("%v: draining, for %v at most; a second signal ends it", sig, r.options.Grace)
	case r.serveErr = <-served:
		r.returned = true
		if r.serveErr != nil && srv.ConnStats().Open == 0 {
			return r.serveErr
		}
	}
	return r.drain(signals)
}

// runner is a call of Run from the stop on.
type runner struct {
	srv     *fasthttp.Server
	options Options
	served  <-chan error

	returned bool // serve has
	serveErr error
}

func (r *runner) drain(signals <-chan os.Signal) error {
	deadline := fmt.Errorf("it was not done after %v: %w", r.options.Grace, context.DeadlineExceeded)
	ctx, cancel := context.WithTimeoutCause(context.Background(), r.options.Grace, deadline)
	defer cancel()
	ctx, force := context.WithCancelCause(ctx)
	defer force(nil)
	go func() {
		select {
		case <-signals:
			force(ErrSecondSignal)
		case <-ctx.Done():
		}
	}()

	said := make(chan struct{})
	half := time.AfterFunc(r.options.Grace/2, func() {
		defer close(said)
		r.options.Logger.Printf("draining for %v, half of what there is: %v", r.options.Grace/2, r.srv.DrainReport())
		nameHolders(r.options.Logger, r.srv)
	})
	err := r.options.Shutdown(ctx)
	r.awaitServe(ctx)
	if !half.Stop() {
		<-said // what it logs stands before the account, and nothing of it goes on
	}
	report := r.srv.DrainReport()
	logReport(r.options.Logger, r.srv, report)
	switch {
	case !r.returned && report.Phase == fasthttp.PhaseStopped:
		err = &DrainError{report, fmt.Errorf("%w: %w", ErrServeGoesOn, context.Cause(ctx))}
	case ctx.Err() != nil && report.Phase != fasthttp.PhaseStopped:
		err = &DrainError{report, context.Cause(ctx)}
	case err == nil && report.Verdict() == fasthttp.VerdictForced:
		err = &DrainError{report, nil}
	}
	return errors.Join(r.serveErr, err)
}

// awaitServe waits until serve has returned. A signal may have come before
// serve listened, and then Shutdown had nothing to close: it is called again
// until there is. The server's own will do; the framework's hooks have run.
func (r *runner) awaitServe(ctx context.Context) {
	again := time.NewTicker(serveCheck)
	defer again.Stop()
	for !r.returned {
		select {
		case r.serveErr = <-r.served:
			r.returned = true
		case <-ctx.Done():
			return
		case <-again.C:
			_ = r.srv.ShutdownWithContext(ctx)
		}
	}
}
