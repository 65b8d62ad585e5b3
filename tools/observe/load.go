package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Load is a bounded load on instances: clients with one keep-alive connection
// each, that go to another instance when theirs refuses.
type Load struct {
	// Answered counts complete answers, Failed requests without one.
	Answered, Failed atomic.Int64

	targets []string
	stop    context.CancelFunc
	clients sync.WaitGroup
}

// Behaviour is what a client does.
type Behaviour struct {
	// Clients is how many do it.
	Clients int

	// Think is the longest pause between two requests, Handler the longest that
	// a request takes; both are drawn anew for each request, from half of that
	// on.
	Think, Handler time.Duration
}

// StartLoad starts clients. They stop at Stop, and at the end of ctx.
func StartLoad(ctx context.Context, targets []string, behaviours ...Behaviour) *Load {
	ctx, stop := context.WithCancel(ctx)
	l := &Load{targets: targets, stop: stop}
	for _, b := range behaviours {
		for range b.Clients {
			l.clients.Go(func() { l.client(ctx, b) })
		}
	}
	return l
}

// Stop ends the clients and waits for them.
func (l *Load) Stop() {
	l.stop()
	l.clients.Wait()
}

// Get sends one request that takes some time to an instance, on a connection of
// its own.
func Get(ctx context.Context, addr string, handler time.Duration) error {
	transport := &http.Transport{DisableKeepAlives: true}
	return get(ctx, &http.Client{Transport: transport}, addr, handler)
}

func get(ctx context.Context, c *http.Client, addr string, handler time.Duration) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/?name=load&sleep=%s", addr, handler), nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

func (l *Load) client(ctx context.Context, b Behaviour) {
	dialer := net.Dialer{}
	transport := &http.Transport{
		MaxConnsPerHost: 1,
		// The name stands for all instances: a connection goes to any that
		// accepts.
		DialContext: func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
			for _, i := range rand.Perm(len(l.targets)) {
				if conn, err = dialer.DialContext(ctx, network, l.targets[i]); err == nil {
					return conn, nil
				}
			}
			return nil, err
		},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for {
		pause := time.NewTimer(draw(b.Think))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		switch err := get(ctx, client, "service.invalid", draw(b.Handler)); {
		case err == nil:
			l.Answered.Add(1)
		case ctx.Err() == nil:
			l.Failed.Add(1)
		}
	}
}

// draw draws from half of d to d.
func draw(d time.Duration) time.Duration {
	return d/2 + time.Duration(rand.Int64N(int64(d)/2+1))
}
