// Command anchors walks back through upstream's versions and says of each block of
// PATCHES.md in which its place is found, so that anchors that do not last show.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/fastdrain/fastdrain/internal/patch"
	"github.com/fastdrain/fastdrain/internal/project"
	"github.com/fastdrain/fastdrain/internal/tree"
	"github.com/fastdrain/fastdrain/internal/upstream"
)

func main() {
	from := flag.String("from", "v1.60.0", "the oldest `VERSION` to look at")
	file := flag.String("o", "", "write the table to `FILE` instead of printing it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *from, *file); err != nil {
		fmt.Fprintln(os.Stderr, "anchors:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, from, file string) error {
	p, err := project.Find(".")
	if err != nil {
		return err
	}
	pin, err := p.Pin()
	if err != nil {
		return err
	}
	set, err := p.Patches()
	if err != nil {
		return err
	}
	listed, err := p.CheckVersions(ctx, from+".."+pin.Version)
	if err != nil {
		return err
	}
	var versions, refused []string
	found := map[*patch.Hunk][]bool{}
	for _, v := range listed {
		fmt.Fprintln(os.Stderr, v, "...")
		mod, err := upstream.Download(ctx, pin.Module, v, "")
		var unavailable *upstream.UnavailableError
		if errors.As(err, &unavailable) {
			refused = append(refused, v)
			continue
		}
		if err != nil {
			return err
		}
		src, err := mod.Files()
		if err != nil {
			return err
		}
		res, _ := set.Apply(src) // what does not apply is what we ask for
		versions = append(versions, v)
		for _, h := range set.Hunks() {
			found[h] = append(found[h], res.Errors[h] == nil)
		}
	}
	if len(versions) == 0 {
		return fmt.Errorf("no version from %s on can be had", from)
	}
	text := table(set, versions, refused, found)
	if file == "" {
		_, err = os.Stdout.Write(text)
		return err
	}
	return tree.WriteFile(file, text, 0o644)
}

// table says for each block since when its place is found without a gap.
func table(set *patch.Set, versions, refused []string, found map[*patch.Hunk][]bool) []byte {
	var out bytes.Buffer
	newest := versions[len(versions)-1]
	fmt.Fprintf(&out, "# Which anchors last\n\nFor each block of [PATCHES.md](../PATCHES.md) the upstream versions in which its place is found, of the %d from %s to %s that the module proxy has. A place that is found far back is one that upstream rewrites around and not through. Where a block is found in no older version at all, its declaration is that young. Made by `make anchors`.\n\n",
		len(versions), versions[0], newest)
	if len(refused) > 0 {
		fmt.Fprintf(&out, "Not to be had: %s.\n\n", strings.Join(refused, ", "))
	}
	fmt.Fprintf(&out, "| patch | block | found from | before that |\n| --- | --- | --- | --- |\n")
	for _, h := range set.Hunks() {
		in := found[h]
		since := len(in)
		for since > 0 && in[since-1] {
			since--
		}
		first := "not in " + newest
		if since < len(in) {
			first = versions[since]
		}
		earlier := 0
		for _, is := range in[:since] {
			if is {
				earlier++
			}
		}
		before := ""
		if since > 0 && since < len(in) {
			before = fmt.Sprintf("in %d of %d", earlier, since)
		}
		fmt.Fprintf(&out, "| %s | `%s` | %s | %s |\n", h.Patch, strings.TrimSpace(h.Decl+" "+anchor(h)), first, before)
	}
	return out.Bytes()
}

// anchor is what tells a block's place.
func anchor(h *patch.Hunk) string {
	switch {
	case h.Drop:
		return "drop"
	case h.Place != "":
		return string(h.Place)
	case h.If != "":
		return "if{" + h.If + "}"
	}
	var tokens []string
	for _, l := range h.Lines {
		if l.Op != '+' {
			tokens = append(tokens, strings.TrimSpace(l.Text))
		}
	}
	return strings.ReplaceAll(strings.Join(tokens, " "), "|", `\|`)
}
