package main

import (
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/fastdrain/fastdrain/internal/carried"
	"github.com/fastdrain/fastdrain/internal/project"
)

// removeCarried removes what findProject has unpacked.
var removeCarried = func() error { return nil }

// findProject returns the project that a command works on. Where there is no clone
// it is what the command carries, if that is enough.
func findProject(cmd *cli.Command) (*project.Project, error) {
	if err := notEmpty(cmd, "C", "directory"); err != nil {
		return nil, err
	}
	if dir := cmd.String("C"); dir != "" {
		return project.At(dir)
	}
	p, err := project.Find(".")
	if err == nil {
		return p, nil
	}
	if needsClone(cmd) {
		return nil, fmt.Errorf("%w\n(git clone https://%s)", err, project.Module)
	}
	p, removeCarried, err = carried.Unpack()
	return p, err
}

// onlyProject is findProject for a command that takes no argument.
func onlyProject(cmd *cli.Command) (*project.Project, error) {
	if err := noArguments(cmd); err != nil {
		return nil, err
	}
	return findProject(cmd)
}

// needsClone says whether a command writes into the project, or builds what the
// command does not carry.
func needsClone(cmd *cli.Command) bool {
	switch cmd.Name {
	case "lab", "pin", "upgrade":
		return true
	case "check":
		return cmd.Bool("read")
	case "vendor":
		return !cmd.IsSet("o")
	case "release":
		return !cmd.IsSet("o") && !cmd.IsSet("git")
	}
	return false
}
