package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/probe"
)

// Bounds of the load where nothing else is asked for: a service that the probe starts
// is one's own, and a URL may be shared with others.
const (
	serviceConnections, serviceRate = 200, 5000
	urlConnections, urlRate         = 50, 500
	defaultRounds                   = 5
)

// probeCommand is the command that stops any server under load.
func probeCommand() *cli.Command {
	return &cli.Command{
		Name:      "probe",
		Usage:     "does your server stop without losing a request? Any server, in any language",
		ArgsUsage: "[-- SERVICE [ARGUMENT...]]",
		Description: "probe loads an HTTP/1.1 server while it is stopped or replaced, and says which requests\n" +
			"were lost, when, and why. It starts the service after -- and stops it with a signal at a\n" +
			"random moment, again and again; or it loads a URL while a command runs (-during), or for\n" +
			"a time (-for) while somebody else deploys.\n\n" +
			"Clients, all but pipeline and slow by default:\n" +
			"  busy       keep a connection and use it all the time\n" +
			"  pool       share connections, use each every 0.2 to 1.5 s, the last used one first\n" +
			"  new        open a connection for each request\n" +
			"  pipeline   keep a connection, and send 8 requests in one write\n" +
			"  slow       keep a connection, and ask for the path that -slow names\n\n" +
			"Exit code: 0, 1 if more was lost (or answered with 5xx, or wrongly) than -max-lost\n" +
			"allows, 2 if there is no result to trust.\n\n" +
			"Examples:\n" +
			"  fastdrain probe -- ./service -addr :8080\n" +
			"  fastdrain probe -rounds 20 -vs './other -addr :8080' -- ./service -addr :8080\n" +
			"  fastdrain probe -url http://10.0.0.7/ -during 'systemctl restart api'\n" +
			"  fastdrain probe -url http://10.0.0.7/ -for 2m -html probe.html",
		Flags:                     probeFlags(),
		DisableSliceFlagSeparator: true, // header fields have commas in them
		Action:                    runProbe,
		OnUsageError: func(ctx context.Context, cmd *cli.Command, err error, sub bool) error {
			return cli.Exit(usageError(ctx, cmd, err, sub), exitNoResult)
		},
	}
}

func probeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "url", Usage: "load `URL`; with a service, which listens there (Linux finds that out by itself)"},
		&cli.StringFlag{Name: "during", Usage: "load the URL while `COMMAND` runs, a line of shell that knows it as $" + probe.ForURL},
		&cli.DurationFlag{Name: "for", Usage: "load the URL for this `TIME`"},
		&cli.StringFlag{Name: "vs", Usage: "compare with another `SERVICE`, a line of shell, or URL; both take turns"},
		&cli.StringFlag{Name: "vs-url", Usage: "the `URL` at which the service of -vs listens"},
		&cli.IntFlag{Name: "rounds", Usage: "stop, or run the command, `N` times", Value: defaultRounds, DefaultText: fmt.Sprintf("%d, or 1 with a URL", defaultRounds)},
		&cli.StringFlag{Name: "signal", Usage: "stop the service with `SIGNAL`", Value: "TERM"},
		&cli.DurationFlag{Name: "grace", Usage: "kill a service that has not ended `TIME` after the signal", Value: 30 * time.Second},
		&cli.DurationFlag{Name: "start", Usage: "give a service `TIME` until it listens", Value: 20 * time.Second},

		&cli.StringSliceFlag{Name: "clients", Usage: "which `KINDS` of clients (comma-separated, or repeated)", DefaultText: "busy, pool, new; slow with -slow"},
		&cli.IntFlag{Name: "connections", Usage: "`N` clients, and so connections at a time, at most", DefaultText: fmt.Sprintf("%d, or %d with a URL", serviceConnections, urlConnections)},
		&cli.Float64Flag{Name: "rate", Usage: "`N` requests a second at most", DefaultText: fmt.Sprintf("%d, or %d with a URL", serviceRate, urlRate)},
		&cli.DurationFlag{Name: "timeout", Usage: "a request without an answer for `TIME` is lost", Value: 10 * time.Second},

		&cli.StringFlag{Name: "path", Usage: "ask for `PATH`", DefaultText: "that of the URL, or /"},
		&cli.StringFlag{Name: "method", Usage: "the `METHOD` of the requests", Value: "GET"},
		&cli.StringFlag{Name: "body", Usage: "the `TEXT` that the requests carry"},
		&cli.StringSliceFlag{Name: "header", Usage: "a header `FIELD` of all requests, 'Name: value' (repeated for more)", Config: cli.StringConfig{TrimSpace: true}},
		&cli.StringFlag{Name: "requests", Usage: "send the requests in `FILE`, one a line: METHOD PATH [BODY]", TakesFile: true},
		&cli.StringFlag{Name: "slow", Usage: "a `PATH` that takes its time, for the slow clients"},
		&cli.StringFlag{Name: "expect", Usage: "an answer without `TEXT` in it is wrong"},
		&cli.StringFlag{Name: "ca", Usage: "trust the certificates in `FILE`", TakesFile: true},
		&cli.BoolFlag{Name: "insecure", Usage: "trust any certificate"},
		&cli.BoolFlag{Name: "yes", Usage: "load a host that is neither loopback nor private: it is mine"},

		&cli.IntFlag{Name: "max-lost", Usage: "exit with 1 if more than `N` requests are lost, or answered with 5xx or wrongly"},
		&cli.StringFlag{Name: "json", Usage: "write all that was counted to `FILE` as JSON, too", TakesFile: true},
		&cli.StringFlag{Name: "html", Usage: "write a page of it to `FILE`, too", TakesFile: true},
	}
}

func runProbe(ctx context.Context, cmd *cli.Command) error {
	o, err := probeOptions(cmd)
	if err != nil {
		return cli.Exit(err, exitNoResult)
	}
	for _, name := range []string{"json", "html"} {
		// Not after some minutes of work.
		if file := cmd.String(name); file != "" {
			if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
				return cli.Exit(fmt.Errorf("-%s %s: there is no directory %s", name, file, filepath.Dir(file)), exitNoResult)
			}
			if info, err := os.Stat(file); err == nil && info.IsDir() {
				return cli.Exit(fmt.Errorf("-%s %s: that is a directory, and no file to write", name, file), exitNoResult)
			}
			tried, err := os.CreateTemp(filepath.Dir(file), ".fastdrain-*.tmp")
			if err != nil {
				return cli.Exit(fmt.Errorf("-%s %s: nothing can be written there: %w", name, file, err), exitNoResult)
			}
			tried.Close()
			os.Remove(tried.Name())
		}
	}
	results, err := probe.Run(ctx, *o)
	out := cmd.Root().Writer
	probe.Write(out, results, terminal(out))
	bad, seen := 0, false
	for _, r := range results {
		bad += r.Bad()
		seen = seen || r.Stops > 0
	}
	if file := cmd.String("json"); seen && file != "" {
		err = errors.Join(err, probe.WriteJSON(file, results))
	}
	if file := cmd.String("html"); seen && file != "" {
		err = errors.Join(err, probe.WritePage(file, results))
	}
	switch {
	case err != nil:
		return cli.Exit(err, exitNoResult)
	case bad > cmd.Int("max-lost"):
		return errFailed
	}
	return nil
}

// exitNoResult is the exit code of a probe that has no result to trust.
const exitNoResult = 2

func probeOptions(cmd *cli.Command) (*probe.Options, error) {
	o := &probe.Options{
		During: cmd.String("during"), For: cmd.Duration("for"), Rounds: cmd.Int("rounds"),
		Grace: cmd.Duration("grace"), Start: cmd.Duration("start"), Timeout: cmd.Duration("timeout"),
		SlowPath: cmd.String("slow"), Expect: cmd.String("expect"), Yes: cmd.Bool("yes"),
		TLS:      probe.TLS{CAFile: cmd.String("ca"), Insecure: cmd.Bool("insecure")},
		Progress: cmd.Root().ErrWriter, Terminal: terminal(cmd.Root().ErrWriter),
	}
	service := cmd.Args().Present()
	if !service && cmd.String("url") == "" {
		return nil, errors.New("what is to be stopped? fastdrain probe -- ./service, or fastdrain probe -url URL (see fastdrain probe -h)")
	}
	if cmd.Int("max-lost") < 0 {
		return nil, fmt.Errorf("-max-lost %d: 0 is the least", cmd.Int("max-lost"))
	}
	o.Subjects = []probe.Subject{{Command: cmd.Args().Slice(), URL: cmd.String("url")}}
	if other := cmd.String("vs"); other != "" && service {
		o.Subjects = append(o.Subjects, probe.Subject{Command: probe.Shell(other), URL: cmd.String("vs-url"), Title: other})
	} else if other != "" {
		o.Subjects = append(o.Subjects, probe.Subject{URL: other})
	} else if cmd.IsSet("vs-url") {
		return nil, errors.New("-vs-url is for the service of -vs")
	}
	o.Profile = probe.Profile{Connections: urlConnections, Rate: urlRate}
	if service {
		o.Profile = probe.Profile{Connections: serviceConnections, Rate: serviceRate}
	} else if !cmd.IsSet("rounds") {
		o.Rounds = 1
	}
	if cmd.IsSet("connections") {
		o.Profile.Connections = cmd.Int("connections")
	}
	if cmd.IsSet("rate") {
		o.Profile.Rate = cmd.Float64("rate")
	}
	for _, list := range cmd.StringSlice("clients") {
		for k := range strings.SplitSeq(list, ",") {
			o.Profile.Kinds = append(o.Profile.Kinds, probe.Kind(strings.TrimSpace(k)))
		}
	}
	if len(o.Profile.Kinds) == 0 {
		o.Profile.Kinds = []probe.Kind{probe.Busy, probe.Pool, probe.New}
		if o.SlowPath != "" {
			o.Profile.Kinds = append(o.Profile.Kinds, probe.Slow)
		}
	}
	var err error
	if service {
		if o.Signal, err = probe.ParseSignal(cmd.String("signal")); err != nil {
			return nil, err
		}
	}
	o.Requests, err = probeRequests(cmd)
	return o, err
}

// probeRequests are what the flags say about the requests.
func probeRequests(cmd *cli.Command) ([]probe.Request, error) {
	header := cmd.StringSlice("header")
	file := cmd.String("requests")
	if file == "" {
		return []probe.Request{{Method: cmd.String("method"), Path: cmd.String("path"), Header: header, Body: cmd.String("body")}}, nil
	}
	for _, name := range []string{"path", "method", "body"} {
		if cmd.IsSet(name) {
			return nil, fmt.Errorf("the requests are those of %s: leave out -%s or -requests", file, name)
		}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	requests, err := probe.ReadRequests(f, header)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return requests, nil
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
