package compat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

var (
	composing = flag.Duration("for", 20*time.Second, "compose draws for so `long`")
	workers   = flag.Int("workers", 16, "so `many` of them at a time")
	collect   = flag.Bool("collect", false, "list all findings as they are, and shrink none")
	stopFirst = flag.Bool("first", false, "stop with the first finding")
	repeat    = flag.String("draw", "", "repeat the draw in this `file`, ten times")
)

// crashed begins what is found when a process has not survived a draw: by a panic, or
// by a data race.
const crashed = "the copy: "

// patience is how long it goes on beyond its time if nothing could be compared until then.
const patience = 2 * time.Minute

// slowest is how late a timer may have been in a run that counts: a small part of the
// context, as the windows are parts of it.
func slowest(d draw.Draw) time.Duration { return min(100*time.Millisecond, d.Context/10) }

// Any composition of wrappers, settings and clients stops no worse than with upstream,
// and as the contract says. A failure names its seed and prints the draw: either
// repeats it (-args -rapid.seed=N, -args -draw=FILE).
func TestComposer(t *testing.T) {
	if *repeat != "" {
		t.Skip("a draw is repeated")
	}
	end := time.Now().Add(*composing)
	t.Cleanup(func() { // after all of them
		if compared.Load() == 0 {
			t.Errorf("the machine disturbed every draw: a timer was late by a tenth of its context, or more; nothing was compared in %v", *composing+patience)
		}
	})
	for i := range *workers {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			c := newComparer(t)
			begun := time.Now()
			defer func() {
				t.Logf("%d draws in %v, %d of them disturbed, %d seen once", c.draws, time.Since(begun).Round(time.Second), c.disturbed, c.once)
			}()
			rapid.Check(t, func(rt *rapid.T) {
				over := time.Now().After(end) && (compared.Load() > 0 || time.Now().After(end.Add(patience)))
				if (over || *stopFirst && found.Load()) && !c.failed {
					return
				}
				d := drawing(rt)
				switch bad := c.judge(d); {
				case len(bad) == 0:
				case *collect:
					t.Errorf("%s\n%s", strings.Join(bad, "\n"), text(d))
				default:
					c.failed = true
					if found.CompareAndSwap(false, true) {
						t.Logf("found after %v: %s", time.Since(begun).Round(time.Second), bad[0])
					}
					rt.Fatalf("%s\n%s", strings.Join(bad, "\n"), text(d))
				}
			})
		})
	}
}

var (
	found    atomic.Bool
	compared atomic.Int64 // runs of draws that the machine did not disturb
)

// TestDraw repeats one draw.
func TestDraw(t *testing.T) {
	if *repeat == "" {
		t.Skip("no -draw")
	}
	b, err := os.ReadFile(*repeat)
	if err != nil {
		t.Fatal(err)
	}
	var d draw.Draw
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	c := newComparer(t)
	for i := range 10 {
		theirs, ours, bad := c.compare(d)
		t.Logf("run %d: %v\nupstream %s\nthe copy %s", i, bad, text(theirs), text(ours))
		if len(bad) > 0 {
			t.Fail()
		}
	}
}

func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// comparer has a process of each variant.
type comparer struct {
	t            *testing.T
	theirs, ours *composer

	draws, disturbed, once int
	failed                 bool
}

func newComparer(t *testing.T) *comparer {
	t.Helper()
	return &comparer{t: t, theirs: newComposer(t, upstream), ours: newComposer(t, patched)}
}

// often is how often something has to be seen wrong, before it is as often seen right.
const often = 4

// judge says what is wrong with a draw: not what is chance, as what upstream happens
// to answer varies, and not in runs that the machine has disturbed.
func (c *comparer) judge(d draw.Draw) []string {
	c.draws++
	seen, unseen := 0, 0
	for range 2 * often {
		theirs, ours, bad := c.compare(d)
		if max(theirs.Slow, ours.Slow) > slowest(d) {
			c.disturbed++
			continue
		}
		compared.Add(1)
		if len(bad) == 0 {
			if unseen++; seen == 0 || unseen == often {
				break
			}
			continue
		}
		if seen++; seen == often || strings.HasPrefix(bad[0], crashed) {
			return bad
		}
		if seen == 1 {
			defer func() {
				if seen < often {
					c.once++
					c.t.Logf("seen %d times of %d: %s\n%s", seen, seen+unseen, strings.Join(bad, "\n"), text(d))
				}
			}()
		}
	}
	return nil
}

func (c *comparer) compare(d draw.Draw) (theirs, ours draw.Result, bad []string) {
	type answer struct {
		r   draw.Result
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		r, err := c.theirs.run(d)
		answers <- answer{r, err}
	}()
	ours, err := c.ours.run(d)
	a := <-answers
	switch {
	case err != nil && a.err == nil:
		return a.r, ours, []string{crashed + err.Error()}
	case a.err != nil:
		return a.r, ours, nil // then nothing is worse
	}
	return a.r, ours, verdict(d, a.r, ours)
}

// composer is a process that runs draws. It is started again when one has ended it.
type composer struct {
	t    *testing.T
	path string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	err  *lockedBuffer
}

func newComposer(t *testing.T, variant string) *composer {
	t.Helper()
	c := &composer{t: t, path: build(t, "composer", variant, "-race")}
	t.Cleanup(c.end)
	return c
}

func (c *composer) start() {
	c.err = new(lockedBuffer)
	c.cmd = exec.Command(c.path)
	c.cmd.Stderr = c.err
	c.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		c.t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *composer) end() {
	if c.cmd == nil {
		return
	}
	_ = c.in.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	c.cmd = nil
}

// run has a draw run. It returns an error if the process has not survived it.
func (c *composer) run(d draw.Draw) (r draw.Result, err error) {
	if c.cmd == nil {
		c.start()
	}
	kill := time.AfterFunc(hang, func() { _ = c.cmd.Process.Kill() })
	_, err = io.WriteString(c.in, text(d)+"\n")
	if err == nil {
		var line []byte
		if line, err = c.out.ReadBytes('\n'); err == nil {
			err = json.Unmarshal(line, &r)
		}
	}
	hung := !kill.Stop()
	if err != nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		said := c.err.String()
		c.cmd = nil
		if hung {
			return r, fmt.Errorf("the process hung for %v: %w", hang, err)
		}
		return r, fmt.Errorf("the process has ended: %s", said[:min(len(said), 3000)])
	}
	return r, nil
}
