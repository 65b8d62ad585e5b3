// Package drainhandler provides a fasthttp handler that shows the connections
// and the drain of a server: what is Shutdown waiting for right now?
//
// The page needs no script and no other file, refreshes itself, and can be read
// on a phone. It shows addresses, states and times, nothing of any request.
package drainhandler

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// New returns a handler for a path such as /debug/drain: an HTML page, or JSON
// for '?format=json' or 'Accept: application/json'. The [Status] is that of
// srv, which need not be the server that the handler is served by. Better, it
// is not: the listeners of a server close when its drain begins, and nobody
// could ask any more.
//
// Keep the handler off the public listener. It asks nobody who he is, and the
// addresses of clients are not for everybody; a request for it takes time in
// proportion to the open connections.
func New(srv *fasthttp.Server) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		h := &ctx.Response.Header
		h.Set(fasthttp.HeaderCacheControl, "no-store")
		h.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
		h.Set(fasthttp.HeaderVary, fasthttp.HeaderAccept)
		format, ok := formatOf(ctx)
		if !ok {
			ctx.Error("format is html or json", fasthttp.StatusBadRequest)
			return
		}
		var body bytes.Buffer
		var err error
		status := Read(srv)
		if format == "json" {
			ctx.SetContentType("application/json; charset=utf-8")
			enc := json.NewEncoder(&body)
			enc.SetIndent("", "  ")
			err = enc.Encode(status)
		} else {
			ctx.SetContentType("text/html; charset=utf-8")
			h.Set(fasthttp.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			err = page.Execute(&body, status)
		}
		if err != nil {
			ctx.Error("drainhandler: "+err.Error(), fasthttp.StatusInternalServerError)
			return
		}
		ctx.SetBody(body.Bytes())
	}
}

// formatOf is what a request asks for. A browser's Accept names HTML first.
func formatOf(ctx *fasthttp.RequestCtx) (format string, ok bool) {
	switch f := string(ctx.QueryArgs().Peek("format")); f {
	case "html", "json":
		return f, true
	case "":
		accept := string(ctx.Request.Header.Peek(fasthttp.HeaderAccept))
		if strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html") {
			return "json", true
		}
		return "html", true
	}
	return "", false
}

// seconds are in JSON a number of seconds, to the millisecond.
type seconds time.Duration

func (s seconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(s).Round(time.Millisecond).Seconds())
}

// String is the time as a page shows it: to the second, and to the tenth below
// ten seconds.
func (s seconds) String() string {
	d := time.Duration(s)
	if d.Abs() < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
