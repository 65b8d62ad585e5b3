// Command nethttp is the net/http server that bench stops, for orientation.
package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/fastdrain/fastdrain/bench/internal/serving"
)

func main() {
	serving.Main(func() (serving.Server, error) {
		return &server{http.Server{Handler: http.HandlerFunc(plaintext)}}, nil
	})
}

type server struct{ http.Server }

func (s *server) Serve(ln net.Listener) error        { return s.Server.Serve(ln) }
func (s *server) Shutdown(ctx context.Context) error { return s.Server.Shutdown(ctx) }

func plaintext(w http.ResponseWriter, r *http.Request) {
	if d := r.FormValue("sleep"); d != "" {
		sleep, err := time.ParseDuration(d)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		time.Sleep(sleep)
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte("Hello, World!"))
}
