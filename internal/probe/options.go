package probe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Options say what stops, and how it is loaded.
type Options struct {
	// Subjects are what is loaded: one, or two to compare, which take turns.
	Subjects []Subject
	// During, if not empty, is a line of shell that runs while the URL is loaded: its
	// beginning is the mark. ForURL tells it the URL.
	During string
	// For, if above 0, is how long a URL is loaded while somebody else replaces what is
	// behind it.
	For time.Duration

	// Rounds is how often each subject is stopped, or During runs.
	Rounds int
	// Signal is what stops a service. One that has not ended after Grace is killed.
	Signal os.Signal
	Grace  time.Duration
	// Start is how long a service may take until it listens.
	Start time.Duration

	// Profile says which clients there are; those of kind Slow need SlowPath.
	Profile  Profile
	Requests []Request // empty is one GET of the URL's path
	SlowPath string
	// Expect is a text that each answer has to hold; empty is none.
	Expect string
	// Timeout is how long a client waits for a connection, or for a response.
	Timeout time.Duration
	TLS     TLS
	// Yes allows hosts that are neither loopback nor private.
	Yes bool

	// Progress is for what happens until the report is there. Terminal says that a line
	// of it can be written again.
	Progress io.Writer
	Terminal bool
}

// ForURL is the variable in the environment of [Options.During] that has the URL.
const ForURL = "FASTDRAIN_PROBE_URL"

// Subject is a service to be started and stopped, a URL, or a service with the URL at
// which it listens.
type Subject struct {
	Command []string // the program and its arguments
	URL     string
	Title   string // what a report calls it; empty is the command, or the URL
}

// Name is what a report calls it.
func (s Subject) Name() string {
	if s.Title != "" {
		return s.Title
	}
	if len(s.Command) > 0 {
		return strings.Join(s.Command, " ")
	}
	return s.URL
}

func (o *Options) valid() error {
	switch {
	case len(o.Subjects) == 0:
		return errors.New("nothing to probe")
	case o.Rounds < 1:
		return fmt.Errorf("%d rounds: at least 1 is needed", o.Rounds)
	case o.Timeout <= 0:
		return errors.New("the timeout of a request has to be above 0")
	case o.During != "" && o.For > 0:
		return errors.New("the load ends with the command, or after a time: leave out one of the two")
	}
	for _, s := range o.Subjects {
		switch service := len(s.Command) > 0; {
		case !service && s.URL == "":
			return errors.New("nothing to probe")
		case service && (o.During != "" || o.For > 0):
			return errors.New("a service that the probe starts is stopped by the probe: a command to run meanwhile, or a time, goes with a URL alone")
		case !service && o.During == "" && o.For <= 0:
			return errors.New("what stops at the URL? -during 'COMMAND' replaces it, -for 2m waits while somebody else does, and with -- SERVICE the probe does it itself")
		case service && o.Signal == nil:
			return errors.New("no signal to stop the service with")
		case service && (o.Grace <= 0 || o.Start <= 0):
			return errors.New("the times for the start and the stop have to be above 0")
		}
	}
	for _, k := range o.Profile.Kinds {
		if k == Slow && o.SlowPath == "" {
			return errors.New("slow clients need a path that takes its time")
		}
	}
	_, err := o.Profile.groups()
	return err
}
