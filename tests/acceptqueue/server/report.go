//go:build fastdrain

package main

import (
	"encoding/json"
	"log"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

// patience keeps a connection of a client that has been established, and has not been
// scheduled since, longer than the half second of the default: what the drain does to
// it is not what is counted here. All others are used at once, so no stop takes longer.
func patience(srv *fasthttp.Server) { srv.Drain.FinalRead = 10 * time.Second }

func report(srv *fasthttp.Server) {
	if err := json.NewEncoder(os.Stdout).Encode(srv.DrainReport()); err != nil {
		log.Fatal(err)
	}
}
