// Command events is a server of event streams that takes a port over, as
// examples/handover. Each stream ends at its request's Done. To the file -journal it
// adds a line for each stream: its name, the number of events that it has written,
// whether it began after the stop, and the client's User-Agent.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"
	"github.com/valyala/fasthttp/reuseport"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "listen on `address`")
	brief := flag.Bool("brief", false, "streams that begin after the stop end at once")
	label := flag.String("name", "", "the `name` of this server, in those of its streams")
	grace := flag.Duration("grace", 4*time.Second, "how long a stop may take")
	journal := flag.String("journal", os.DevNull, "the `file` for what the streams have written")
	flag.Parse()

	ln, err := reuseport.Listen("tcp4", *addr)
	if err != nil {
		log.Fatal(err)
	}
	out, err := os.OpenFile(*journal, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	srv := &fasthttp.Server{}
	var streams atomic.Int64
	srv.Handler = func(ctx *fasthttp.RequestCtx) {
		done, late := ctx.Done(), !srv.Ready()
		name := fmt.Sprintf("%s-%d", *label, streams.Add(1))
		agent := string(ctx.UserAgent())
		ctx.SetContentType("text/event-stream")
		ctx.SetBodyStreamWriter(func(w *bufio.Writer) {
			written := 0
			fmt.Fprint(w, "retry: 100\n\n")
			if !late || !*brief {
				written = stream(w, name, done)
			}
			fmt.Fprintf(out, "%s %d %t %s\n", name, written, late, agent)
		})
	}
	fmt.Println("listening on", ln.Addr())
	serve := func() error { return srv.Serve(ln) }
	if err := drainrun.Run(srv, serve, drainrun.Options{Grace: *grace}); err != nil {
		log.Fatal(err)
	}
}

// stream writes events until done closes or the client leaves, and returns how many.
func stream(w *bufio.Writer, name string, done <-chan struct{}) (written int) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		fmt.Fprintf(w, "data: %s %d\n\n", name, written+1)
		if w.Flush() != nil {
			return written
		}
		written++
		select {
		case <-done:
			return written
		case <-tick.C:
		}
	}
}
