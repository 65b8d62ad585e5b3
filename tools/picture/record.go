package main

import (
	"context"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/tools/observe"
)

// sample is a look at the connections.
type sample struct {
	at    time.Duration // from the stop on; negative before it
	stats fasthttp.ConnStats
	phase fasthttp.DrainPhase
}

const (
	// before and after are how much of the time around the drain is shown.
	before, after = 250 * time.Millisecond, 100 * time.Millisecond

	interval = 5 * time.Millisecond
)

// load is what clients do meanwhile: most wait longer than the window's half, so
// that the picture shows how waiting connections leave.
var load = []observe.Behaviour{
	{Clients: 60, Think: 100 * time.Millisecond, Handler: 20 * time.Millisecond},
	{Clients: 120, Think: 1200 * time.Millisecond, Handler: 30 * time.Millisecond},
	{Clients: 12, Think: 20 * time.Millisecond, Handler: 700 * time.Millisecond},
}

// record looks at a server every few milliseconds while it is stopped under load.
func record(ctx context.Context) ([]sample, error) {
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		if d, err := time.ParseDuration(string(ctx.QueryArgs().Peek("sleep"))); err == nil {
			time.Sleep(d)
		}
	}}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = srv.Serve(ln) }()
	clients := observe.StartLoad(ctx, []string{ln.Addr().String()}, load...)
	defer clients.Stop()
	time.Sleep(2 * time.Second) // until the clients are no longer in step

	var samples []sample
	begin := time.Now()
	stop := begin.Add(before)
	stopped := make(chan error, 1)
	time.AfterFunc(before, func() { stopped <- srv.Shutdown() })
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	var end <-chan time.Time
	for {
		select {
		case now := <-ticks.C:
			samples = append(samples, sample{now.Sub(stop), srv.ConnStats(), srv.DrainReport().Phase})
		case err := <-stopped:
			if err != nil {
				return nil, err
			}
			end = time.After(after)
		case <-end:
			return samples, nil
		}
	}
}
