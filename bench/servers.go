package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fastdrain/fastdrain/bench/internal/process"
	"github.com/fastdrain/fastdrain/internal/variant"
)

const (
	hertzModule  = "github.com/cloudwego/hertz"
	hertzVersion = "v0.10.4"
)

// The two ways of the server that is system calls and nothing else, see bare.
const (
	bareDrain = "bare-drain"
	bareClose = "bare-close"
)

// stoppable is a server that is stopped with many connections.
type stoppable struct {
	name    string
	command []string
	// noWindow are the flags for a stop with idle clients: one that does not wait for
	// last requests.
	noWindow []string
	// idleOnly says that it is no comparison under load.
	idleOnly bool
}

// stoppables builds the servers that are compared. One whose module cannot be
// had is left out, with a note.
func (b *bench) stoppables(ctx context.Context) ([]stoppable, error) {
	alone := process.Alone()
	if alone == nil {
		b.note("The servers that were stopped saw the processes of the machine, as that cannot be kept from them here: a stop of the patched one looked through the descriptors of bench's clients, too.")
	}
	var all []stoppable
	add := func(s stoppable, path string) {
		s.command = append(alone[:len(alone):len(alone)], path)
		all = append(all, s)
	}
	for _, side := range []variant.Side{variant.Upstream, variant.Patched} {
		b.say("building the %s server", side.Name)
		path, err := b.build.Program(ctx, side, "./server")
		if err != nil {
			return nil, err
		}
		s := stoppable{name: side.Name}
		if side == variant.Patched {
			s.noWindow = []string{"-final-read", "-1ns"}
		}
		add(s, path)
	}
	b.say("building the net/http server")
	nethttp := filepath.Join(b.build.Dir, "nethttp")
	if _, err := b.build.Go(ctx, "build", "-o", nethttp, "./nethttp"); err != nil {
		return nil, err
	}
	add(stoppable{name: "nethttp"}, nethttp)
	// These two take Unix.
	for _, pkg := range []string{"least", "bare"} {
		b.say("building the server %q", pkg)
		path := filepath.Join(b.build.Dir, pkg)
		if _, err := b.build.Go(ctx, "build", "-o", path, "./"+pkg); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			b.note("The server %q was left out: %v", pkg, err)
			continue
		}
		if pkg == "least" {
			add(stoppable{name: pkg, idleOnly: true}, path)
			continue
		}
		add(stoppable{name: bareDrain, idleOnly: true}, path)
		add(stoppable{name: bareClose, idleOnly: true, noWindow: []string{"-close"}}, path)
	}
	b.say("building the Hertz server")
	path, err := b.hertz(ctx)
	switch {
	case err == nil:
		add(stoppable{name: "hertz"}, path)
	case ctx.Err() != nil:
		return nil, err
	default:
		b.note("Hertz was left out: %v", err)
	}
	return all, nil
}

// hertz builds the Hertz server with a go.mod of its own.
func (b *bench) hertz(ctx context.Context) (string, error) {
	path := filepath.Join(b.build.Dir, "hertz")
	mod, err := b.build.RequiringModfile("hertz", hertzModule, hertzVersion)
	if err != nil {
		return "", err
	}
	if _, err := b.build.Go(ctx, "build", "-modfile", mod, "-mod=mod", "-o", path, "./testdata/hertz"); err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the build left no binary: %w", err)
	}
	return path, nil
}
