package doctor

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/mod/semver"

	"github.com/fastdrain/fastdrain/internal/signals"
)

// The ways in which a binary is not well.
var (
	ErrNoModule     = errors.New("it is made without the module")
	ErrNotPatched   = errors.New("it is not made with the patched copy")
	ErrNeverStops   = errors.New("nothing in it calls Shutdown, so nothing drains")
	ErrNoSignals    = errors.New("nothing in it asks for a signal, so SIGTERM ends it at once and nothing drains")
	ErrNoSIGTERM    = errors.New("nothing in it asks for SIGTERM, which then ends it at once and nothing drains")
	ErrPrefork      = errors.New("it runs prefork, whose master serves nothing: what drains is in the children, which a SIGTERM to the master does not reach")
	ErrNewer        = errors.New("go.mod asks for a newer version than the copy is made of")
	ErrEdited       = errors.New("the copy has been edited by hand")
	ErrOtherVersion = errors.New("the copy has changed since it was built")
)

// Problem is what is wrong with a binary.
type Problem struct {
	// Err is or wraps one of the errors of this package.
	Err error
	// Do says what to do about it.
	Do string
}

// Problems are all that is wrong with the binary; none if it is well.
func (d *Diagnosis) Problems() []Problem {
	name := path.Base(d.Module)
	switch {
	case d.Version == "":
		return []Problem{{Err: ErrNoModule}}
	case d.Stamp == nil:
		return []Problem{{ErrNotPatched, fmt.Sprintf("fastdrain vendor -o third_party/%s in the directory of the service, then build again", name)}}
	}
	var out []Problem
	if _, have, _ := strings.Cut(d.Stamp.Upstream, "@"); semver.Compare(d.Version, have) > 0 {
		out = append(out, Problem{
			fmt.Errorf("%w: %s, and the copy is %s", ErrNewer, d.Version, have),
			"take a newer copy with a newer fastdrain, or go back with: go get " + d.Module + "@" + have,
		})
	}
	if f := d.Folder; f != nil {
		if len(f.Edited) > 0 {
			out = append(out, Problem{
				fmt.Errorf("%w: %s", ErrEdited, list(f.Edited)),
				"fastdrain verify " + f.Dir + " tells what is not ours; fastdrain vendor -o writes it anew once the changes are gone",
			})
		}
		if f.Stamp == nil || f.Stamp.Upstream != d.Stamp.Upstream || f.Stamp.Sum != d.Stamp.Sum {
			out = append(out, Problem{fmt.Errorf("%w: %s", ErrOtherVersion, f.Dir), "build the binary again"})
		}
	}
	return append(out, d.stopProblems()...)
}

// stopProblems are reasons why nothing drains.
func (d *Diagnosis) stopProblems() []Problem {
	if !d.Serves {
		return nil // a client, for example
	}
	const ask = "call it on SIGTERM, for example with package drainrun"
	switch {
	case !d.Stops:
		return []Problem{{ErrNeverStops, ask}}
	case !d.Signals.Linked:
		return []Problem{{ErrNoSignals, "ask for SIGTERM and call Shutdown then, for example with package drainrun"}}
	case !d.Signals.Has(syscall.SIGTERM) && d.Signals.Certain():
		return []Problem{{fmt.Errorf("%w: it asks for %s", ErrNoSIGTERM, strings.Join(d.Asked(), "; ")),
			"ask for syscall.SIGTERM beside os.Interrupt, for example with package drainrun"}}
	case d.Prefork:
		return []Problem{{ErrPrefork, "run processes of your own that listen with SO_REUSEPORT, each with its own drainrun"}}
	}
	return nil
}

// Err is the first problem, nil if there is none.
func (d *Diagnosis) Err() error {
	if p := d.Problems(); len(p) > 0 {
		return p[0].Err
	}
	return nil
}

// Unknown is what the binary does not tell, each a sentence.
func (d *Diagnosis) Unknown() []string {
	var out []string
	if d.Stamp == nil {
		return nil
	}
	if d.Serves && d.Stops && d.Signals.Linked && !d.Signals.Has(syscall.SIGTERM) && !d.Signals.Certain() {
		why := "they are not constants where they are asked for"
		if d.Signals.Unread != "" {
			why = d.Signals.Unread
		}
		out = append(out, "whether it asks for SIGTERM: "+why)
	}
	if d.replacedByFolder && d.Folder == nil {
		out = append(out, "whether the copy was edited: "+d.Replaced+" is not here; run in the directory of the service")
	}
	return out
}

// Asked says which signals are asked for, and where.
func (d *Diagnosis) Asked() []string {
	var out []string
	for _, a := range d.Signals.Asks {
		what := signalNames(a)
		if at := what + " in " + a.Func; !slices.Contains(out, at) {
			out = append(out, at)
		}
	}
	return out
}

func signalNames(a signals.Ask) string {
	if a.All {
		return "all signals"
	}
	var names []string
	for _, s := range a.Signals {
		names = append(names, signals.Name(s))
	}
	if a.Unknown {
		names = append(names, "signals that the binary does not tell")
	}
	return strings.Join(names, ", ")
}

// list names some files.
func list(files []string) string {
	const most = 5
	if len(files) <= most {
		return strings.Join(files, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(files[:most], ", "), len(files)-most)
}
