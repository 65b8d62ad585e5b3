package drainrun

import (
	"time"

	"github.com/valyala/fasthttp"
)

type Options struct{ Grace time.Duration }

func Run(srv *fasthttp.Server, serve func() error, o Options) error { return nil }
