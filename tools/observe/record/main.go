// Command record makes the data for the picture of the dashboard: it runs three
// servers under load, stops one after the other as a release would, with a real
// Prometheus scraping them, and writes what that Prometheus answers to each query
// of the dashboard.
//
// Two of the stops have the time that they need. The third one does not: a long
// request is running, and the process is given less time than that.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/tools/dashboard"
	"github.com/fastdrain/fastdrain/tools/observe"
)

const (
	scrapeInterval = 250 * time.Millisecond

	// stopLimit is how long a server may take to drain and to be scraped.
	stopLimit = time.Minute
)

// recording is the file that is written.
type recording struct {
	From, To  int64 // milliseconds since 1970
	Instances []string
	Answers   []observe.Answer
}

func main() {
	log.SetFlags(log.Ltime)
	out := flag.String("o", "build/recording.json", "write to this `file`")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, *out); err != nil {
		log.Fatal("record: ", err)
	}
}

func run(ctx context.Context, out string) (err error) {
	dir, err := os.MkdirTemp("", "fastdrain-record-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := observe.BuildExample(ctx, dir)
	if err != nil {
		return err
	}
	var servers []*observe.Instance
	var addrs, targets []string
	// They end while Prometheus is there to scrape their last figures.
	stopAll := sync.OnceFunc(func() { err = errors.Join(err, observe.StopAll(servers, stopLimit)) })
	defer stopAll()
	for i := range 3 {
		grace := "20s"
		if i == 2 {
			grace = "4s"
		}
		in, err := observe.NewInstance(ctx, binary, os.Stderr, "-final-read", "3s", "-grace", grace, "-await-scrape", "3s")
		if err != nil {
			return err
		}
		servers = append(servers, in)
		addrs, targets = append(addrs, in.Addr), append(targets, in.Metrics)
	}
	p, err := observe.Start(ctx, observe.Config{
		Dir: dir, ScrapeInterval: scrapeInterval,
		Targets: map[string][]string{"observed": targets},
	})
	if err != nil {
		return err
	}
	defer func() {
		stopAll()
		p.Stop()
	}()
	// A Prometheus looks for its targets some seconds after it is ready.
	for _, target := range targets {
		if _, err := p.Scraped(ctx, fmt.Sprintf("fasthttp_server_open_connections{instance=%q}", target)); err != nil {
			return err
		}
	}
	// Whole milliseconds, as Prometheus counts: the points of the answers are steps
	// from here.
	from := time.Now().Truncate(time.Millisecond)
	load := observe.StartLoad(ctx, addrs,
		observe.Behaviour{Clients: 60, Think: 20 * time.Millisecond, Handler: 3 * time.Millisecond},
		observe.Behaviour{Clients: 150, Think: 3 * time.Second, Handler: 3 * time.Millisecond},
		observe.Behaviour{Clients: 12, Think: time.Second, Handler: 2 * time.Second})
	defer load.Stop()

	for i, in := range servers {
		if err := sleep(ctx, 8*time.Second); err != nil {
			return err
		}
		if i == 2 {
			go observe.Get(ctx, in.Addr, 10*time.Second)
			if err := sleep(ctx, time.Second); err != nil {
				return err
			}
		}
		log.Printf("stopping server %d of %d, %s", i+1, len(servers), in.Metrics)
		if err := in.Stop(stopLimit); err != nil {
			log.Printf("it ended with: %v", err)
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
		if err := in.Start(ctx); err != nil {
			return err
		}
	}
	if err := sleep(ctx, 8*time.Second); err != nil {
		return err
	}
	log.Printf("%d requests answered, %d failed", load.Answered.Load(), load.Failed.Load())

	r := observe.Range{From: from, To: time.Now(), Step: scrapeInterval, RateInterval: 4 * scrapeInterval}
	answers, err := p.Ask(ctx, dashboard.New(), r)
	if err != nil {
		return err
	}
	text, err := json.Marshal(recording{from.UnixMilli(), r.To.UnixMilli(), targets, answers})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(out+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(out+".new", out)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
