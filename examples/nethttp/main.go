// Command nethttp is the twin of hello on the standard library's net/http: the
// same flags, the same answers and the same lines of output.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fastdrain/fastdrain/examples/internal/selfsigned"
)

// grace is how long a shutdown may take before the process gives up on it.
const grace = 30 * time.Second

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "listen on `address`; port 0 takes a free one")
	useTLS := flag.Bool("tls", false, "speak TLS, with a certificate made at start")
	flag.Parse()

	var executed atomic.Int64
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			executed.Add(1)
			query := r.URL.Query()
			if sleep := query.Get("sleep"); sleep != "" {
				d, err := time.ParseDuration(sleep)
				if err != nil {
					http.Error(w, err.Error(), http.StatusBadRequest)
					return
				}
				time.Sleep(d)
			}
			fmt.Fprintf(w, "hello %s", query.Get("name"))
		}),
	}

	// Ask for the signals before anybody can know that the server is up.
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()

	ln, err := net.Listen("tcp4", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", ln.Addr())

	failed := make(chan error, 1)
	go func() { failed <- serve(srv, ln, *useTLS) }()
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-stop.Done():
	}

	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err = srv.Shutdown(ctx)
	fmt.Printf("served %d requests\n", executed.Load())
	if err != nil {
		log.Fatal("shutdown: ", err)
	}
}

func serve(srv *http.Server, ln net.Listener, useTLS bool) error {
	if !useTLS {
		return srv.Serve(ln)
	}
	cert, key, err := selfsigned.PEM()
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	return srv.ServeTLS(ln, "", "")
}
