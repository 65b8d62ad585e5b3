package drainrun

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// logConns limits the connections that a line of the log names.
const logConns = 10

// logHolders limits the functions that are named.
const logHolders = 10

// LogReport writes the account of the drain under way, or else of the last
// one, as one line through the server's Logger (to stderr if it has none, as
// the server does), and returns it. It names connections that are still open,
// oldest first, ten at most. After a drain that was not graceful a line each says
// which functions of the application its handlers are in, see
// [fasthttp.Server.Holders]. Where there was no drain it writes nothing. [Run] calls
// it, and names the functions at half of its grace, too.
func LogReport(srv *fasthttp.Server) fasthttp.DrainReport {
	r := srv.DrainReport()
	logReport(logger(srv), srv, r)
	return r
}

func logReport(to fasthttp.Logger, srv *fasthttp.Server, r fasthttp.DrainReport) {
	if r.Phase != fasthttp.PhaseServing || !r.Started.IsZero() {
		to.Printf("%s", reportLine(r, time.Now()))
	}
	if verdict := r.Verdict(); verdict != "" && verdict != fasthttp.VerdictGraceful {
		nameHolders(to, srv)
	}
}

// nameHolders writes which functions the running handlers are in, a line each.
func nameHolders(to fasthttp.Logger, srv *fasthttp.Server) {
	holders := srv.Holders()
	for i, h := range holders {
		if i == logHolders {
			to.Printf("and %d other functions", len(holders)-i)
			break
		}
		to.Printf("still running: %v", h)
	}
}

// logger is where the server writes, too.
func logger(srv *fasthttp.Server) fasthttp.Logger {
	if srv.Logger != nil {
		return srv.Logger
	}
	return log.New(os.Stderr, "", log.LstdFlags)
}

func reportLine(r fasthttp.DrainReport, now time.Time) string {
	var line strings.Builder
	line.WriteString(r.String())
	for i, c := range r.Open {
		if i == logConns {
			fmt.Fprintf(&line, " and %d or more others", len(r.Open)-i)
			break
		}
		sep := ","
		if i == 0 {
			sep = "; still open:"
		}
		fmt.Fprintf(&line, "%s %s %s since %v", sep, c.RemoteAddr, c.State, now.Sub(c.Since).Round(time.Second))
	}
	return line.String()
}
