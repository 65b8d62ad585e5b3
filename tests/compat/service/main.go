// Command service is a service on fasthttp that stops on SIGTERM. Its stands are what
// such a server stands on: listeners of modules, frameworks, upgraders. It says on
// standard output what happens, a JSON object a line.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/fastdrain/fastdrain/tests/compat/client"
)

// stand is a whole program: it serves until SIGTERM, and stops.
type stand func(e *env) error

var stands = map[string]stand{}

func main() {
	name := flag.String("stand", "", "what the server stands on")
	secure := flag.Bool("tls", false, "serve TLS")
	within := flag.Duration("context", 10*time.Second, "what the stop may take")
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	flag.Parse()
	run, ok := stands[*name]
	if !ok {
		log.Fatalf("there is no stand %q", *name)
	}
	var conf *tls.Config
	if *secure {
		conf = &tls.Config{Certificates: []tls.Certificate{client.Certificate()}}
	}
	if err := run(newEnv(*addr, *within, conf)); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
	say(event{Event: "ends"})
}
