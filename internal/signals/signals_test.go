package signals

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// asked is what the program in testdata/asks asks for, by function.
const asked = `main.constant: SIGTERM
main.interrupt: SIGINT
main.both: SIGINT SIGTERM
main.many: SIGINT SIGHUP SIGQUIT SIGABRT SIGPIPE SIGALRM SIGTERM SIGINT SIGKILL
main.ofVariable: SIGTERM SIGHUP
main.all: all
main.inContext: SIGINT SIGTERM
main.inGoroutine.func1: SIGTERM
main.useWrapper: SIGHUP
main.useOuter: SIGQUIT SIGTERM
main.sender: SIGHUP
main.either: unknown
main.grown: unknown
main.captured.func1: unknown
main.(*handed).ask: unknown
os/signal.Notify: unknown
`

// build compiles a program in testdata, and skips the test where that cannot be.
func build(t *testing.T, program string, env []string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), program)
	cmd := exec.Command("go", append(append([]string{"build", "-o", file}, args...), "./testdata/"+program)...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// describe gives the asks as in asked.
func describe(a *Asked) string {
	var out strings.Builder
	for _, k := range a.Asks {
		var names []string
		for _, s := range k.Signals {
			names = append(names, Name(s))
		}
		if k.All {
			names = append(names, "all")
		}
		if k.Unknown {
			names = append(names, "unknown")
		}
		fmt.Fprintf(&out, "%s: %s\n", k.Func, strings.Join(names, " "))
	}
	return out.String()
}

// differ says which lines are missing, and which are too many, in any order.
func differ(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	set := map[string]bool{}
	for _, l := range lines {
		set[l] = true
	}
	missing := ""
	for l := range strings.Lines(asked) {
		if l := strings.TrimSpace(l); !set[l] {
			missing += "it does not say " + l + "\n"
		}
		delete(set, strings.TrimSpace(l))
	}
	for l := range set {
		missing += "it says " + l + "\n"
	}
	return missing
}

// Builds for other platforms are tried in tests/doctor, as they compile the
// standard library.
func TestFind(t *testing.T) {
	if _, ok := architectures[runtime.GOARCH]; !ok {
		t.Skipf("%s is not known to this package", runtime.GOARCH)
	}
	for name, args := range map[string][]string{
		"as it is": nil,
		"stripped": {"-trimpath", "-ldflags=-s -w"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := Find(build(t, "asks", nil, args...), "main.both", "main.neither")
			if err != nil {
				t.Fatal(err)
			}
			if wrong := differ(describe(a)); wrong != "" {
				t.Error(wrong)
			}
			if !a.Linked || !a.Has(syscall.SIGTERM) || a.Certain() {
				t.Errorf("linked %v, SIGTERM %v, certain %v", a.Linked, a.Has(syscall.SIGTERM), a.Certain())
			}
			if !a.Functions["main.both"] || a.Functions["main.neither"] {
				t.Errorf("functions %v", a.Functions)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		a, err := Find(build(t, "nothing", nil))
		if err != nil {
			t.Fatal(err)
		}
		if a.Linked || len(a.Asks) > 0 || a.Has(syscall.SIGTERM) || !a.Certain() {
			t.Errorf("%+v", a)
		}
	})
}

// A file that is cut off or damaged is an error, or an unknown, and no panic.
func TestFindDamaged(t *testing.T) {
	file := build(t, "nothing", nil, "-ldflags=-s -w")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged")
	try := func(text []byte) error {
		if err := os.WriteFile(damaged, text, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Find(damaged)
		return err
	}
	for _, n := range []int{0, 3, 64, 4096, len(whole) / 2} {
		if err := try(whole[:n]); err == nil {
			t.Errorf("%d bytes of it are no error", n)
		}
	}
	for at := 0; at < len(whole); at += len(whole) / 8 {
		text := append([]byte{}, whole...)
		for i := at; i < min(at+4096, len(text)); i++ {
			text[i] = 0xff
		}
		t.Logf("0xff from %d on: %v", at, try(text))
	}
	if err := try([]byte("#!/bin/sh\necho no binary\n")); err == nil {
		t.Error("a script is no error")
	}
}

// What the machine must not take for known.
func TestMeet(t *testing.T) {
	a := &state{memory: map[value]value{{kind: frame}: {kind: number, n: 1}, {kind: frame, n: 8}: {kind: number, n: 2}}}
	b := a.clone()
	b.regs[3] = value{kind: number, n: 7}
	b.memory[value{kind: frame}] = value{kind: number, n: 5}
	a.regs[3] = value{kind: number, n: 6}
	if !a.meet(b) || a.regs[3] != (value{}) || len(a.memory) != 1 {
		t.Errorf("%+v", a)
	}
	if a.meet(b) {
		t.Error("it goes on changing")
	}
}
