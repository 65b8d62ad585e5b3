package hot

import (
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/bench/internal/scrape"
)

// Runner is a workload with its server running.
type Runner struct {
	server *fasthttp.Server
	served chan error
	stop   func() // ends the scrapes, if there are any
	load   interface {
		run(n int) error
		close()
	}
}

// Start starts a server for the workload and has it answer each client once. Close the
// Runner in any case.
func (w *Workload) Start() (*Runner, error) {
	r := &Runner{
		server: &fasthttp.Server{Handler: handler, NoDefaultServerHeader: true, Logger: quiet{}},
		served: make(chan error, 1),
	}
	if w.configure != nil {
		w.configure(r.server)
	}
	if w.Scraped > 0 {
		r.stop = scrape.Every(r.server, w.Scraped, w.even)
	}
	if w.conns > 0 {
		r.server.Concurrency = 2 * w.conns
	}
	ln := newListener()
	go func() { r.served <- r.server.Serve(ln) }()
	var err error
	switch {
	case w.tls:
		r.load, err = newSecure(w, ln)
	case w.conns > 0:
		r.load = newMany(w, ln)
	default:
		r.load = newSingle(w, ln)
	}
	if err == nil {
		// Once for each client, so that nothing is new to the server afterwards.
		err = r.load.run(max(1, w.conns))
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", w.Name, err)
	}
	return r, nil
}

// Run has n requests answered.
func (r *Runner) Run(n int) error { return r.load.run(n) }

// Close ends the clients and the server.
func (r *Runner) Close() error {
	if r.load != nil {
		r.load.close()
	}
	if r.stop != nil {
		r.stop()
	}
	return errors.Join(r.server.Shutdown(), <-r.served)
}

// quiet is a Logger that says nothing.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
