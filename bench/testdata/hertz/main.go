// Command hertz is the Hertz server that bench stops, for orientation: a server
// that teams choose instead of fasthttp. It is not part of the project's module,
// which would have to require Hertz; bench builds it with a go.mod of its own.
package main

import (
	"context"
	"net"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/hlog"

	"github.com/fastdrain/fastdrain/bench/internal/serving"
)

func main() {
	hlog.SetLevel(hlog.LevelFatal)
	serving.Main(func() (serving.Server, error) { return &hertz{made: make(chan struct{})}, nil })
}

type hertz struct {
	*server.Hertz
	made chan struct{}
}

func (h *hertz) Serve(ln net.Listener) error {
	h.Hertz = server.New(server.WithListener(ln))
	h.GET("/", plaintext)
	close(h.made)
	return h.Run()
}

func (h *hertz) Shutdown(ctx context.Context) error {
	<-h.made
	return h.Hertz.Shutdown(ctx)
}

func plaintext(_ context.Context, ctx *app.RequestContext) {
	if d := ctx.Query("sleep"); d != "" {
		sleep, err := time.ParseDuration(d)
		if err != nil {
			ctx.String(400, err.Error())
			return
		}
		time.Sleep(sleep)
	}
	ctx.String(200, "Hello, World!")
}
