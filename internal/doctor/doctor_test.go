package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/fastdrain/fastdrain/internal/signals"
	"github.com/fastdrain/fastdrain/internal/stamp"
	"github.com/fastdrain/fastdrain/internal/tree"
)

const module = "example.com/up"

// well is a binary that nothing is wrong with.
func well() *Diagnosis {
	return &Diagnosis{
		Module: module, Main: "example.com/service", Version: "v1.2.0", Replaced: "./third_party/up",
		Stamp:  &stamp.Stamp{Upstream: module + "@v1.2.0", Sum: "0123", Patches: []string{"one"}},
		Serves: true, Stops: true,
		Signals: asks(signals.Ask{Func: "main.main", Signals: []syscall.Signal{2, 15}}),
		Folder: &Folder{
			Dir:   "third_party/up",
			Stamp: &stamp.Stamp{Upstream: module + "@v1.2.0", Sum: "0123", Patches: []string{"one"}},
		},
		replacedByFolder: true,
	}
}

func asks(a ...signals.Ask) *signals.Asked { return &signals.Asked{Linked: true, Asks: a} }

func TestProblems(t *testing.T) {
	sigint := signals.Ask{Func: "main.main", Signals: []syscall.Signal{2}}
	for _, test := range []struct {
		name    string
		change  func(*Diagnosis)
		want    []error
		unknown string
	}{
		{"well", func(*Diagnosis) {}, nil, ""},
		{"no module", func(d *Diagnosis) { d.Version = "" }, []error{ErrNoModule}, ""},
		{"upstream's", func(d *Diagnosis) { d.Stamp, d.Stops = nil, false }, []error{ErrNotPatched}, ""},
		{"never stops", func(d *Diagnosis) { d.Stops = false }, []error{ErrNeverStops}, ""},
		{"a client", func(d *Diagnosis) { d.Serves, d.Stops, d.Signals = false, false, &signals.Asked{} }, nil, ""},
		{"no signals", func(d *Diagnosis) { d.Signals = &signals.Asked{} }, []error{ErrNoSignals}, ""},
		{"SIGINT", func(d *Diagnosis) { d.Signals = asks(sigint) }, []error{ErrNoSIGTERM}, ""},
		{"SIGINT here, SIGTERM there", func(d *Diagnosis) {
			d.Signals = asks(sigint, signals.Ask{Func: "main.f", Signals: []syscall.Signal{15}})
		}, nil, ""},
		{"all", func(d *Diagnosis) { d.Signals = asks(signals.Ask{Func: "main.f", All: true}) }, nil, ""},
		{"SIGINT here, nobody knows there", func(d *Diagnosis) {
			d.Signals = asks(sigint, signals.Ask{Func: "main.f", Unknown: true})
		}, nil, "whether it asks for SIGTERM"},
		{"no call found", func(d *Diagnosis) { d.Signals = asks() }, nil, "whether it asks for SIGTERM"},
		{"unread", func(d *Diagnosis) { d.Signals = &signals.Asked{Linked: true, Unread: "packed"} }, nil, "whether it asks for SIGTERM: packed"},
		{"prefork", func(d *Diagnosis) { d.Prefork = true }, []error{ErrPrefork}, ""},
		{"newer", func(d *Diagnosis) { d.Version = "v1.10.0" }, []error{ErrNewer}, ""},
		{"older", func(d *Diagnosis) { d.Version = "v1.1.9" }, nil, ""},
		{"edited", func(d *Diagnosis) { d.Folder.Edited = []string{"a.go"} }, []error{ErrEdited}, ""},
		{"folder of another version", func(d *Diagnosis) { d.Folder.Stamp.Upstream = module + "@v1.3.0" }, []error{ErrOtherVersion}, ""},
		{"folder with other patches", func(d *Diagnosis) { d.Folder.Stamp.Sum = "4567" }, []error{ErrOtherVersion}, ""},
		{"folder not found", func(d *Diagnosis) { d.Folder = nil }, nil, "whether the copy was edited"},
		{"a release", func(d *Diagnosis) { d.Folder, d.replacedByFolder = nil, false }, nil, ""},
		{"several", func(d *Diagnosis) { d.Version, d.Stops, d.Folder.Edited = "v1.10.0", false, []string{"a.go"} },
			[]error{ErrNewer, ErrEdited, ErrNeverStops}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := well()
			test.change(d)
			problems := d.Problems()
			if len(problems) != len(test.want) {
				t.Fatalf("have %v, want %v", problems, test.want)
			}
			for i, p := range problems {
				if !errors.Is(p.Err, test.want[i]) {
					t.Errorf("have %v, want %v", p.Err, test.want[i])
				}
				if p.Do == "" && p.Err != ErrNoModule {
					t.Errorf("%v: it does not say what to do", p.Err)
				}
			}
			if (d.Err() == nil) != (len(test.want) == 0) {
				t.Errorf("Err is %v", d.Err())
			}
			if said := strings.Join(d.Unknown(), "\n"); !strings.HasPrefix(said, test.unknown) || said != "" && test.unknown == "" {
				t.Errorf("unknown is %q, want %q", said, test.unknown)
			}
		})
	}
}

func TestFindFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := tree.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/service\n")
	write("cmd/service/main.go", "package main\n")
	mark := stamp.Stamp{Upstream: module + "@v1.2.0", Sum: "0123", Patches: []string{"one"}}
	copied := filepath.Join(dir, "third_party", "up")
	if _, err := tree.Sync(tree.Plan{Dir: copied, Upstream: module + "@v1.2.0", Files: map[string][]byte{
		"up.go":        []byte("package up\n\nvar x = 1\n"),
		stamp.FileName: mark.Source("up"),
	}}); err != nil {
		t.Fatal(err)
	}
	find := func(main, from string) *Folder {
		t.Helper()
		f, err := findFolder(main, "./third_party/up", []string{filepath.Join(dir, from)})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := find("example.com/service", "cmd/service")
	if f == nil || len(f.Edited) > 0 || f.Stamp == nil || f.Stamp.Sum != "0123" {
		t.Fatalf("%+v", f)
	}
	if f := find("example.com/other", "."); f != nil {
		t.Errorf("the folder of another module: %+v", f)
	}
	file := filepath.Join(copied, "up.go")
	for name, test := range map[string]struct {
		text   string
		edited []string
	}{
		"edited":        {"package up\n\nvar x = 2\n", []string{"up.go"}},
		"as on Windows": {"package up\r\n\r\nvar x = 1\r\n", nil},
		"as it was":     {"package up\n\nvar x = 1\n", nil},
	} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		write("third_party/up/up.go", test.text)
		if f := find("example.com/service", "."); !slices.Equal(f.Edited, test.edited) {
			t.Errorf("%s: %v", name, f.Edited)
		}
	}
	write("third_party/up/mine.go", "package up\n")
	if err := os.Remove(filepath.Join(copied, "up.go")); err != nil {
		t.Fatal(err)
	}
	if f := find("example.com/service", "."); !slices.Equal(f.Edited, []string{"mine.go", "up.go"}) {
		t.Errorf("%v", f.Edited)
	}
}
