package metrics

import (
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/drainrun"
)

// LogReport is [drainrun.LogReport]: one line with the account of a drain,
// through the server's Logger. The line is the last resort: it is there when
// nobody scrapes any more.
func LogReport(srv *fasthttp.Server) fasthttp.DrainReport { return drainrun.LogReport(srv) }
