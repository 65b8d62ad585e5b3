// A template may call any method by its name, so the linker keeps Shutdown.
package main

import (
	"html/template"

	"github.com/valyala/fasthttp"

	"example.com/services/listen"
)

var page = template.Must(template.New("").Parse("{{.Name}} has {{.GetOpenConnectionsCount}} connections"))

func main() {
	srv := &fasthttp.Server{Name: "service"}
	srv.Handler = func(ctx *fasthttp.RequestCtx) {
		listen.Work()
		page.Execute(ctx, srv)
	}
	srv.Serve(listen.On())
}
