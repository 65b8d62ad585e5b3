//go:build fastdrain

package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/valyala/fasthttp"
)

func report(srv *fasthttp.Server) {
	if err := json.NewEncoder(os.Stdout).Encode(srv.DrainReport()); err != nil {
		log.Fatal(err)
	}
}
