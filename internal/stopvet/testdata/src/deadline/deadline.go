package deadline

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"
)

const grace = 2 * time.Second

func short(srv *fasthttp.Server, app *fiber.App) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	srv.ShutdownWithContext(ctx)                                            // want `stopdeadline: .*Shutdown has 2s here, and needs more than 3s`
	app.ShutdownWithTimeout(time.Second)                                    // want `stopdeadline: .*Shutdown has 1s here`
	drainrun.Run(srv, nil, drainrun.Options{Grace: 500 * time.Millisecond}) // want `stopdeadline: .*Shutdown has 500ms here`
}

func enough(srv *fasthttp.Server, d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	srv.ShutdownWithContext(ctx)
	other, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	srv.ShutdownWithContext(other)
	drainrun.Run(srv, nil, drainrun.Options{})
}
