package patch

import (
	"bytes"
	"io/fs"
	"strings"
)

// watchPrefix is what a line begins with that names watched declarations.
const watchPrefix = "Watch:"

// watch reads what follows the prefix.
func (p *reader) watch(n int, list string) {
	if p.patch != nil {
		p.errorf(n, "a Watch line belongs to no patch: put it under a heading of the first or second level")
		return
	}
	file, names, ok := strings.Cut(strings.TrimSpace(list), " ")
	if !ok || !strings.HasSuffix(file, ".go") {
		p.errorf(n, "the line does not name a file and its declarations, as in: Watch: server.go acceptConn, (*Server).setState")
		return
	}
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name == "" || strings.ContainsAny(name, " \t") {
			p.errorf(n, "%q is not the name of a declaration", name)
			continue
		}
		p.set.Watched = append(p.set.Watched, Watch{file, name, n})
	}
}

// watch hashes the watched declarations.
func (s *Set) watch(src fs.FS, res *Result) {
	files := map[string]*source{}
	for _, w := range s.Watched {
		file, ok := files[w.File]
		if !ok {
			if text, err := fs.ReadFile(src, w.File); err == nil {
				file, _ = parseSource(w.File, text)
			}
			files[w.File] = file
		}
		if file == nil {
			continue
		}
		if d, err := file.lookup(&Hunk{File: w.File, Decl: w.Decl}); err == nil {
			res.Watched[w.Key()] = file.hash(d)
		}
	}
}

// WithWatched is the text of the set with other Watch lines, for the keys of
// declarations, sorted by file: in the place of those that it has, or at its
// end.
func (s *Set) WithWatched(keys []string) []byte {
	var lines []string
	last := ""
	for _, key := range keys {
		file, name, _ := strings.Cut(key, " ")
		if file == last {
			lines[len(lines)-1] += ", " + name
			continue
		}
		lines = append(lines, watchPrefix+" "+file+" "+name)
		last = file
	}
	var out [][]byte
	here, at := map[int]bool{}, -1
	for _, w := range s.Watched {
		here[w.Line] = true
	}
	for i, line := range bytes.SplitAfter(s.Text, []byte("\n")) {
		if here[i+1] {
			if at < 0 {
				at = len(out)
			}
			continue
		}
		out = append(out, line)
	}
	block := []byte(strings.Join(lines, "\n\n") + "\n")
	if at < 0 {
		if len(keys) == 0 {
			return s.Text
		}
		return append(bytes.Join(out, nil), "\n"+watchHeading+string(block)...)
	}
	rest := bytes.TrimLeft(bytes.Join(out[at:], nil), "\n")
	if len(rest) > 0 {
		block = append(block, '\n')
	}
	return bytes.Join([][]byte{bytes.Join(out[:at], nil), block, rest}, nil)
}

// watchHeading introduces the first Watch lines of a set.
const watchHeading = `## What is relied on

No patch touches these functions of upstream's, but our files call them, or they use what tells of the stop and of the connections: some fields of Server, and those of workerPool by which a worker ends. ` + "`fastdrain pin`" + ` finds them with go/types and writes these lines; where one has changed, ` + "`fastdrain check`" + ` wants it to be read again.

`
