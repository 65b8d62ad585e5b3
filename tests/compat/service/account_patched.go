//go:build fastdrain

package main

import "github.com/valyala/fasthttp"

// account says whether the outcomes of the drain add up.
func account(srv *fasthttp.Server) {
	r := srv.DrainReport()
	say(event{Event: "account", OK: r.Outcomes.Total() == r.OpenAtStop+r.Accepted, Text: r.String()})
}
