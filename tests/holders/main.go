// Command holders is a service whose handlers hang, each in its own way, under a
// framework of choice. For each line on its standard input it writes what
// Server.Holders says, as one line of JSON. Its log is that of a drain with a grace of
// a second.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"sync"
	"time"

	"github.com/fasthttp/router"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"
)

// The culprits never return.
var (
	mutex sync.Mutex
	never = make(chan struct{})
)

func lock()    { mutex.Lock() }
func channel() { <-never }

func sleep() {
	for {
		time.Sleep(time.Hour)
	}
}

// query asks a database that accepts and does not answer.
func query() {
	db, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	c, err := net.Dial("tcp4", db.Addr().String())
	must(err)
	_, _ = c.Read(make([]byte, 1))
}

func writer(w *bufio.Writer) { <-never }

var culprits = map[string]func(){"/lock": lock, "/channel": channel, "/sleep": sleep, "/query": query}

func main() {
	kind := flag.String("kind", "plain", "plain, router or fiber")
	flag.Parse()
	mutex.Lock()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	var srv *fasthttp.Server
	var serve func() error
	switch *kind {
	case "fiber":
		app := fiber.New()
		app.Use(recover.New())
		for path, hang := range culprits {
			app.Get(path, func(fiber.Ctx) error { hang(); return nil })
		}
		app.Get("/writer", func(c fiber.Ctx) error { return c.SendStreamWriter(writer) })
		srv, serve = app.Server(), func() error {
			return app.Listener(ln, fiber.ListenConfig{DisableStartupMessage: true})
		}
	case "router":
		r := router.New()
		for path, hang := range culprits {
			r.GET(path, func(*fasthttp.RequestCtx) { hang() })
		}
		r.GET("/writer", func(ctx *fasthttp.RequestCtx) { ctx.SetBodyStreamWriter(writer) })
		srv = &fasthttp.Server{Handler: fasthttp.CompressHandler(r.Handler)}
	default:
		srv = &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
			if hang := culprits[string(ctx.Path())]; hang != nil {
				hang()
			}
			ctx.SetBodyStreamWriter(writer)
		}}
	}
	if serve == nil {
		serve = func() error { return srv.Serve(ln) }
	}
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			must(json.NewEncoder(os.Stdout).Encode(srv.Holders()))
		}
	}()
	fmt.Println(ln.Addr())
	must(drainrun.Run(srv, serve, drainrun.Options{Grace: time.Second, Logger: log.Default()}))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
