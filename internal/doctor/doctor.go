// Package doctor says of a binary whether its fasthttp is the patched copy, the
// one that its go.mod asks for and that nobody has edited, and whether anything in
// it would start a drain.
//
// A binary is read and never run. What it does not tell is said to be unknown.
package doctor

import (
	"debug/buildinfo"
	"fmt"
	"runtime/debug"

	"github.com/fastdrain/fastdrain/internal/signals"
	"github.com/fastdrain/fastdrain/internal/stamp"
)

// Diagnosis is what a binary says about itself.
type Diagnosis struct {
	// Module is the module that was looked for.
	Module string
	// Main is the path of the binary's main module.
	Main string
	// Version is the one that its go.mod resolved to, empty if the binary is
	// made without the module. Replaced names what was taken instead: a
	// folder, or a module and its version; empty if nothing.
	Version, Replaced string
	// Stamp is that of the patched copy, nil if the binary has none.
	Stamp *stamp.Stamp
	// Serves and Stops say that the binary holds Server.Serve or
	// Server.ServeConn, and Server.ShutdownWithContext. The linker drops what
	// nothing can call.
	Serves, Stops bool
	// Prefork says that it holds the module's prefork package, whose master
	// serves nothing.
	Prefork bool
	// Signals are the signals that it asks for.
	Signals *signals.Asked
	// Folder is the folder of the copy, nil if it was not found.
	Folder *Folder

	replacedByFolder bool
}

// Examine reads a binary. module is the one that the copy replaces. The folder of
// the copy is looked for from each of the directories upwards.
func Examine(file, module string, dirs ...string) (*Diagnosis, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s is no Go binary that can be read: %w", file, err)
	}
	d := &Diagnosis{Module: module, Main: info.Main.Path}
	dep := find(info, module)
	if dep == nil {
		return d, nil
	}
	d.Version = dep.Version
	if r := dep.Replace; r != nil {
		d.Replaced = r.Path
		d.replacedByFolder = r.Version == "" || r.Version == "(devel)"
		if !d.replacedByFolder {
			d.Replaced += " " + r.Version
		}
	}
	serve, conn, stop := module+".(*Server).Serve", module+".(*Server).ServeConn", module+".(*Server).ShutdownWithContext"
	var has map[string]bool
	if d.Stamp, has, err = stamp.Scan(file, serve, conn, stop); err != nil {
		return nil, err
	}
	d.Serves, d.Stops = has[serve] || has[conn], has[stop]
	if d.Signals, err = signals.Find(file, module+"/prefork.(*Prefork).prefork"); err != nil {
		// The rest is worth to be said all the same.
		d.Signals = &signals.Asked{Linked: true, Unread: err.Error()}
	}
	d.Prefork = d.Signals.Functions[module+"/prefork.(*Prefork).prefork"]
	if d.replacedByFolder {
		d.Folder, err = findFolder(d.Main, dep.Replace.Path, dirs)
	}
	return d, err
}

func find(info *debug.BuildInfo, module string) *debug.Module {
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep
		}
	}
	return nil
}
