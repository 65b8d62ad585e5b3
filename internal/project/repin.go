package project

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// DefaultUpstream is the module that is patched, as long as no pin says so.
const DefaultUpstream = "github.com/valyala/fasthttp"

// Repin pins a version, or the pinned one anew if version is empty. All patches
// must apply to it.
//
// It returns the pin as it was (nil if there was none) and as it is, and the
// names of the declarations whose content is not what it was, sorted.
func (p *Project) Repin(ctx context.Context, version string) (old, pin *Pin, changed []string, err error) {
	old, oldErr := p.Pin()
	module, sum := DefaultUpstream, ""
	if oldErr == nil {
		module = old.Module
		if version == "" {
			version = old.Version
		}
		if version == old.Version {
			// A version never changes. If its hash did, then somebody has
			// tampered with it, and pinning it anew is no remedy.
			sum = old.Sum
		}
	} else {
		if version == "" {
			return nil, nil, nil, oldErr
		}
		old = nil
	}
	c, err := p.copyOf(ctx, module, version, sum)
	if err != nil {
		return old, nil, nil, fmt.Errorf("not pinned: %w", err)
	}
	pin = &Pin{Module: module, Version: c.Upstream.Version, Sum: c.Upstream.Sum, Declarations: c.Result.Declarations}
	if old != nil {
		for _, name := range slices.Sorted(maps.Keys(pin.Declarations)) {
			if h, ok := old.Declarations[name]; ok && h != pin.Declarations[name] {
				changed = append(changed, name)
			}
		}
	}
	return old, pin, changed, p.SetPin(pin)
}
