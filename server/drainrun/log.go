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

// LogReport writes the account of the drain under way, or else of the last
// one, as one line through the server's Logger (to stderr if it has none, as
// the server does), and returns it. It names connections that are still open,
// oldest first, ten at most. Where there was no drain it writes nothing. [Run]
// calls it.
func LogReport(srv *fasthttp.Server) fasthttp.DrainReport {
	r := srv.DrainReport()
	logReport(logger(srv), r)
	return r
}

func logReport(to fasthttp.Logger, r fasthttp.DrainReport) {
	if r.Phase != fasthttp.PhaseServing || !r.Started.IsZero() {
		to.Printf("%s", reportLine(r, time.Now()))
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
