package compat

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	mutants   = flag.Bool("mutants", false, "break the copy in each of the ways that were mended, and want the suite to notice")
	mutantFor = flag.Duration("mutant-for", 10*time.Minute, "look at each for so `long` at most")
)

// mutant is the copy with one fix taken back.
type mutant struct {
	name     string
	file     string // of server/
	old, new string
	rows     string // of the table, a regular expression; empty for the composer
}

// mended are the faults by their kinds: what the suite has to find again.
var mended = []mutant{
	{"an unknown wrapper is woken before its first request", "outside.go",
		"return isTLS || !known(dc.Conn) && dc.isNew()", "return isTLS && false", ""},
	{"a look goes through an unknown wrapper", "lastlook.go",
		"\tif !known(dc.Conn) {\n\t\tsock := lookedAt(dc.Conn)", "\tif dc.Conn == nil {\n\t\tsock := lookedAt(dc.Conn)", ""},
	{"reflect goes through nil", "socket.go",
		"v, err := v.FieldByIndexErr(field.Index)", "v, err := v.FieldByIndex(field.Index), error(nil)", ""},
	{"line ends are taken for a request", "head.go",
		"return lineEnds(b) < len(b)", "return len(b) > 0", ""},
	{"a head that never ends has no bound", "head.go",
		"\tset, skipped := time.Time{}, 0\n", "\tset, skipped := time.Time{}, 0\n\tif last.After(time.Time{}) {\n\t\treturn true\n\t}\n", ""},
	{"Done of a request begun after the stop is closed", "serveconn.go",
		"\tdc.lateDone = true\n", "", ""},
	{"addresses are asked for under the lock", "conns.go",
		"\t\tf.conn = dc.Conn\n", "\t\tf.conn = dc.Conn\n\t\t_ = remoteAddr(dc.Conn)\n", ""},
	{"windows do not fit into the context", "patience.go",
		"return min(t, d.contextRest()/2)", "return t", ""},
	{"OnPhase is called on the drain's goroutine", "phase.go",
		"\tgo func() {\n\t\tdefer close(told)\n\t\tif before != nil {\n\t\t\t<-before\n\t\t}\n\t\td.set.OnPhase(p)\n\t}()\n",
		"\t_ = before\n\td.set.OnPhase(p)\n\tclose(told)\n", ""},
	{"listeners of one type are one", "acceptqueue.go",
		"return reflect.ValueOf(a).Comparable()", "return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Kind() == reflect.Struct || reflect.ValueOf(a).Comparable()", ""},
	{"a listener whose Serve has failed is left open", "acceptqueue.go",
		"\tif len(l.loop.serves) == 0 {\n\t\tif l.closed {", "\tif len(l.loop.serves) == 0 {\n\t\tif true {", ""},
	{"closes do not linger", "linger.go",
		"return halfCloserOf(dc.Conn) != nil", "return false", ""},
	{"the accept queue is not served", "acceptqueue.go",
		"\tl.stopped = d\n\treturn l.loop.queue.Accept()", "\tl.stopped = d\n\tif l.s != nil {\n\t\t_ = l.Listener.Close()\n\t\treturn nil, io.EOF\n\t}\n\treturn l.loop.queue.Accept()", ""},
	{"a socket from outside counts as our own", "internal/acceptqueue/sharing_linux.go",
		"\tvar st unix.Stat_t\n\terr := control(sock, func(fd int) error { return unix.Fstat(fd, &st) })\n\tswitch {",
		"\tvar st unix.Stat_t\n\terr := control(sock, func(fd int) error { return unix.Fstat(fd, &st) })\n\tif true {\n\t\treturn nil\n\t}\n\tswitch {", "activated"},
	{"Serve returns at the beginning of its drain", "acceptqueue.go",
		"if d := l.stopped; d != nil {", "if d := l.stopped; d != nil && d == nil {", "fiber-graceful$"},
}

// text is the mutant's file.
func (m mutant) text(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(*serverDir, filepath.FromSlash(m.file)))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte(m.old)); n != 1 {
		t.Fatalf("%s has the text of the fix %d times:\n%s", m.file, n, m.old)
	}
	return bytes.Replace(text, []byte(m.old), []byte(m.new), 1)
}

// A mutant that cannot be made any more is noticed at once.
func TestMutantsCanBeMade(t *testing.T) {
	for _, m := range mended {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) { _ = m.text(t) })
	}
}

// Each fix taken back is found. It says which seed found it, and how soon.
func TestMutants(t *testing.T) {
	if !*mutants {
		t.Skip("no -mutants")
	}
	for _, m := range mended {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "server")
			if err := os.CopyFS(dir, os.DirFS(*serverDir)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, m.file), m.text(t), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"-test.run=^TestComposer$", "-test.v", "-test.parallel=20", "-server=" + dir, "-for=" + mutantFor.String(), "-first", "-rapid.shrinktime=1s"}
			if m.rows != "" {
				args = []string{"-test.run=^TestNeverWorse$/^situation$/" + m.rows, "-test.v", "-test.parallel=8", "-server=" + dir}
			}
			begun := time.Now()
			out, err := exec.Command(os.Args[0], args...).CombinedOutput()
			took := time.Since(begun).Round(time.Second)
			how := "the table"
			if found := regexp.MustCompile(`found after (.*)`).FindSubmatch(out); found != nil {
				how = string(found[1])
				if seed := regexp.MustCompile(`-rapid\.seed=\d+`).Find(out); seed != nil {
					how += ", " + string(seed)
				}
			}
			missed := err == nil || !bytes.Contains(out, []byte("found after")) && !bytes.Contains(out, []byte("worse than upstream:"))
			if missed {
				t.Fatalf("not found in %v: %v\n%s", took, err, out[max(0, len(out)-2000):])
			}
			t.Logf("%s: found by %s (%v in all)", m.name, how, took)
		})
	}
}
