package follow

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// instruction is one of a Dockerfile.
type instruction struct {
	line int // its first, from 1
	verb string
	rest string // the lines that follow with a backslash are joined
}

func instructions(lines []string) []instruction {
	var all []instruction
	open := false
	for i, line := range lines {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue // also within an instruction
		}
		next := strings.HasSuffix(text, `\`)
		text = strings.TrimSpace(strings.TrimSuffix(text, `\`))
		if open {
			all[len(all)-1].rest += " " + text
		} else {
			verb, rest, _ := strings.Cut(text, " ")
			all = append(all, instruction{i + 1, strings.ToUpper(verb), strings.TrimSpace(rest)})
		}
		open = next
	}
	return all
}

var (
	needsModules = regexp.MustCompile(`\bgo\s+(?:mod\s+(?:download|verify|tidy|vendor)|build|test|vet)\b`)
	bindMount    = regexp.MustCompile(`--mount=\S*type=bind`)
	variable     = regexp.MustCompile(`\$\{?(\w+)(?::?-([^}]*))?\}?`)
)

// dockerfile finds images with too old a Go, and the first command of a stage that
// needs the modules before the copy has come into the stage.
func dockerfile(m Module, file string, lines []string) []Line {
	var found []Line
	args := map[string]instruction{} // ARG NAME=default
	value := func(name string) string {
		_, v, _ := strings.Cut(args[name].rest, "=")
		return strings.Trim(v, `"'`)
	}
	stages := map[string]bool{} // by name: does it have the copy?
	name, here, said := "", false, false
	for _, in := range instructions(lines) {
		switch in.verb {
		case "ARG":
			arg, _, _ := strings.Cut(in.rest, "=")
			args[arg] = in
		case "FROM":
			words := plain(in.rest)
			if len(words) == 0 {
				continue
			}
			at := in.line
			image := variable.ReplaceAllStringFunc(words[0], func(s string) string {
				v := variable.FindStringSubmatch(s)
				if got := value(v[1]); got != "" {
					at = args[v[1]].line // that is the line to change
					return got
				}
				return v[2]
			})
			if v := imageOf.FindStringSubmatch(image); v != nil && tooOld(v[1], m.Go) {
				found = append(found, Line{Number: at, Do: "golang:" + orLater(m.Go)})
			}
			here, said = stages[strings.ToLower(image)], false
			if name = ""; len(words) == 3 && strings.EqualFold(words[1], "AS") {
				name = strings.ToLower(words[2])
			}
		case "COPY", "ADD":
			here = here || !strings.Contains(in.rest, "--from=") && brings(m, file, in.rest)
		case "RUN":
			if !here && !said && needsModules.MatchString(in.rest) && !bindMount.MatchString(in.rest) {
				said = true
				do := "before it: COPY " + relative(m.Dir, m.Copy) + " " + relative(m.Dir, m.Copy)
				if !below(m.Copy, m.Dir) {
					do = "before it: COPY " + relative(repository(m.Dir), m.Copy) + " to where it is to the module, with the repository as the context"
				}
				found = append(found, Line{Number: in.line, Do: do})
			}
		}
		if name != "" {
			stages[name] = here
		}
	}
	return found
}

// plain are the words of an instruction that are no flags.
func plain(rest string) []string {
	var words []string
	for _, word := range strings.Fields(rest) {
		if !strings.HasPrefix(word, "--") {
			words = append(words, word)
		}
	}
	return words
}

// brings says whether the sources of a COPY hold the copy. The context of a build
// is not in the Dockerfile: it is the repository, the module, or the folder of
// the Dockerfile.
func brings(m Module, file, rest string) bool {
	words := plain(strings.NewReplacer("[", " ", "]", " ", `"`, " ", ",", " ").Replace(rest))
	if len(words) < 2 {
		return false
	}
	for _, context := range []string{repository(m.Dir), m.Dir, filepath.Dir(file)} {
		dir := relative(context, m.Copy)
		for _, source := range words[:len(words)-1] {
			source = path.Clean(strings.TrimPrefix(source, "/"))
			for at := dir; ; at = path.Dir(at) {
				if ok, err := path.Match(source, at); source == at || err == nil && ok {
					return true
				}
				if at == "." || at == "/" || strings.HasSuffix(at, "..") {
					break
				}
			}
		}
	}
	return false
}

func below(dir, other string) bool { return filepath.IsLocal(relative(other, dir)) }

func relative(from, to string) string {
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return filepath.ToSlash(to)
	}
	return filepath.ToSlash(rel)
}
