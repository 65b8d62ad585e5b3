//go:build fastdrain

package main

import (
	"encoding/json"
	"log"
	"os"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fastdrain/fastdrain/tests/internal/stall"
)

// prepare sets a server up, and returns what says how its drain went.
//
// A client that has connected, and has not been scheduled since, is waited for longer
// than the half second of the default: what the drain does to it is not what is counted
// here. All others use their connections at once, so no stop takes longer.
func prepare(srv *fasthttp.Server) (account func()) {
	srv.Drain.FinalRead = 10 * time.Second
	watch := stall.Begin()
	return func() {
		err := json.NewEncoder(os.Stdout).Encode(struct {
			fasthttp.DrainReport
			Stall time.Duration
		}{srv.DrainReport(), watch.End()})
		if err != nil {
			log.Fatal(err)
		}
	}
}
