package longer

import (
	"context"
	"time"

	"github.com/valyala/fasthttp"
)

func stop(srv *fasthttp.Server) {
	srv.Drain.LameDuck = 5 * time.Second
	srv.Drain.FinalRead = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), 12*time.Second)
	defer cancel()
	srv.ShutdownWithContext(ctx) // want `stopdeadline: .*needs more than 15s: the lame duck lasts 5s, the window up to 10s`
}
