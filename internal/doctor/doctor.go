// Package doctor says of a binary whether its fasthttp is the patched copy.
package doctor

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/fastdrain/fastdrain/internal/stamp"
)

// Diagnosis is what a binary says about itself.
type Diagnosis struct {
	// Module is the module that was looked for.
	Module string
	// Version is the one that its go.mod resolved to, empty if the binary is
	// made without the module. Replaced names what was taken instead: a
	// folder, or a module and its version; empty if nothing.
	Version, Replaced string
	// Stamp is that of the patched copy, nil if the binary has none.
	Stamp *stamp.Stamp
	// Serves and Stops say that the binary holds Server.Serve and
	// Server.ShutdownWithContext. The linker drops what nothing can call.
	Serves, Stops bool
}

// ErrNotPatched, ErrNeverStops and ErrNoModule are the ways in which a binary
// is not well.
var (
	ErrNoModule   = errors.New("it is made without the module")
	ErrNotPatched = errors.New("it is not made with the patched copy")
	ErrNeverStops = errors.New("nothing in it calls Shutdown, so nothing drains")
)

// Examine reads a binary. module is the one that the copy replaces.
func Examine(file, module string) (*Diagnosis, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s is no Go binary that can be read: %w", file, err)
	}
	d := &Diagnosis{Module: module}
	dep := find(info, module)
	if dep == nil {
		return d, nil
	}
	d.Version = dep.Version
	if r := dep.Replace; r != nil {
		d.Replaced = r.Path
		if r.Version != "" && r.Version != "(devel)" {
			d.Replaced += " " + r.Version
		}
	}
	serve, stop := module+".(*Server).Serve", module+".(*Server).ShutdownWithContext"
	var has map[string]bool
	if d.Stamp, has, err = stamp.Scan(file, serve, stop); err != nil {
		return nil, err
	}
	d.Serves, d.Stops = has[serve], has[stop]
	return d, nil
}

func find(info *debug.BuildInfo, module string) *debug.Module {
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep
		}
	}
	return nil
}

// Err is nil if the binary is well.
func (d *Diagnosis) Err() error {
	switch {
	case d.Version == "":
		return ErrNoModule
	case d.Stamp == nil:
		return ErrNotPatched
	case d.Serves && !d.Stops:
		return ErrNeverStops
	}
	return nil
}
