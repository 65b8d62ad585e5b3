// Command watch shows drains as they happen: it starts examples/observed a few
// times, a Prometheus with the alert rules, and a bounded load, prints where to
// look, and restarts one instance after the other. It stops all of it on Ctrl-C,
// and by itself after a while.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/tools/observe"
)

const (
	scrapeInterval = time.Second

	// stopLimit is how long a server may take to drain and to be scraped.
	stopLimit = time.Minute
)

var (
	addr      = flag.String("addr", "127.0.0.1:9095", "Prometheus listens on `address`")
	instances = flag.Int("instances", 3, "how many servers")
	restart   = flag.Duration("restart", 20*time.Second, "restart one of the servers every so `long`; 0 is never")
	limit     = flag.Duration("for", 15*time.Minute, "stop by itself after so `long`")
	rules     = flag.String("rules", "metrics/alerts.yml", "alert rules")
)

func main() {
	log.SetFlags(log.Ltime)
	flag.Parse()
	if *instances < 1 {
		log.Fatal("watch: -instances is to be at least 1")
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, *limit)
	defer cancel()
	if err := run(ctx); err != nil {
		log.Fatal("watch: ", err)
	}
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "fastdrain-watch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	log.Print("building the example")
	binary, err := observe.BuildExample(ctx, dir)
	if err != nil {
		return err
	}
	var servers []*observe.Instance
	var addrs, targets []string
	// The servers end while Prometheus is there to scrape their last figures.
	stopAll := sync.OnceFunc(func() {
		if err := observe.StopAll(servers, stopLimit); err != nil {
			log.Print(err)
		}
	})
	defer stopAll()
	for range *instances {
		in, err := observe.NewInstance(ctx, binary, os.Stderr, "-await-scrape", (3 * scrapeInterval).String())
		if err != nil {
			return err
		}
		servers = append(servers, in)
		addrs, targets = append(addrs, in.Addr), append(targets, in.Metrics)
	}
	data := filepath.Join(dir, "prometheus")
	if err := os.Mkdir(data, 0o755); err != nil {
		return err
	}
	p, err := observe.Start(ctx, observe.Config{
		Dir: data, Addr: *addr, ScrapeInterval: scrapeInterval,
		Targets: map[string][]string{"observed": targets}, Rules: []string{*rules},
	})
	if err != nil {
		return err
	}
	defer func() {
		stopAll()
		p.Stop()
	}()
	load := observe.StartLoad(ctx, addrs,
		observe.Behaviour{Clients: 40, Think: 20 * time.Millisecond, Handler: 3 * time.Millisecond},
		observe.Behaviour{Clients: 100, Think: time.Second, Handler: 3 * time.Millisecond},
		observe.Behaviour{Clients: 5, Think: time.Second, Handler: 2 * time.Second})
	defer load.Stop()

	fmt.Printf("\n  Prometheus  %s/graph?g0.expr=fasthttp_server_connections&g0.tab=0&g0.range_input=5m\n", p.URL)
	fmt.Printf("  Alerts      %s/alerts\n", p.URL)
	for i, in := range servers {
		fmt.Printf("  Server %d    http://%s/debug/drain   http://%s/metrics\n", i+1, in.Metrics, in.Metrics)
	}
	fmt.Printf("  Dashboard   import metrics/dashboards/fastdrain.json into your Grafana, with %s as its data source\n", p.URL)
	fmt.Printf("\nCtrl-C stops all of it; it stops by itself in %v.\n\n", *limit)

	tick := time.NewTicker(max(*restart, time.Second))
	defer tick.Stop()
	for next := 0; ; {
		select {
		case <-ctx.Done():
			log.Printf("stopping: %d requests answered, %d failed", load.Answered.Load(), load.Failed.Load())
			return nil
		case <-p.Exited():
			return fmt.Errorf("prometheus has ended by itself")
		case <-tick.C:
			if *restart <= 0 {
				continue
			}
			in := servers[next]
			next = (next + 1) % len(servers)
			log.Printf("restarting %s; %d requests answered, %d failed", in.Metrics, load.Answered.Load(), load.Failed.Load())
			if err := in.Stop(stopLimit); err != nil {
				log.Printf("%s: %v", in.Metrics, err)
			}
			if err := in.Start(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}
