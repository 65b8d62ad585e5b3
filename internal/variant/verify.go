package variant

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"slices"
	"strings"
)

// Contents says which fasthttp a binary was built with.
type Contents struct {
	// Fasthttp is the version that go.mod asks for, empty if the binary contains
	// none, and Replaced the directory or the module taken instead, if any.
	Fasthttp, Replaced string
	// Tagged says that the binary was built with the build tag [Tag].
	Tagged bool
}

// String names the contents as go.mod would.
func (c Contents) String() string {
	switch {
	case c.Fasthttp == "":
		return "no fasthttp"
	case c.Replaced == "":
		return Module + " " + c.Fasthttp
	}
	return Module + " " + c.Fasthttp + " => " + c.Replaced
}

// Inspect reads from a binary which fasthttp it contains.
func Inspect(path string) (Contents, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return Contents{}, err
	}
	var c Contents
	for _, dep := range info.Deps {
		if dep.Path != Module {
			continue
		}
		c.Fasthttp = dep.Version
		if dep.Replace != nil {
			c.Replaced = dep.Replace.Path
		}
	}
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			c.Tagged = tagged([]string{s.Value})
		}
	}
	return c, nil
}

// Resolve says which fasthttp the go command takes with the given build flags
// (-modfile, -tags). It is for test binaries, in which the go command does not
// note what they contain.
func (b Builder) Resolve(ctx context.Context, flags ...string) (Contents, error) {
	out, err := b.Go(ctx, append(append([]string{"list"}, flags...), "-json=Module", Module)...)
	if err != nil {
		return Contents{}, err
	}
	var p struct {
		Module struct {
			Version string
			Replace *struct{ Path string }
		}
	}
	if err := json.Unmarshal(out, &p); err != nil {
		return Contents{}, err
	}
	c := Contents{Fasthttp: p.Module.Version, Tagged: tagged(flags)}
	if p.Module.Replace != nil {
		c.Replaced = p.Module.Replace.Path
	}
	return c, nil
}

// tagged says whether [Tag] is in one of the lists of build tags.
func tagged(lists []string) bool {
	return slices.ContainsFunc(lists, func(list string) bool { return slices.Contains(strings.Split(list, ","), Tag) })
}
