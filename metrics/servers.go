package metrics

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
)

// DefaultServer is the name of a server that was given without one.
const DefaultServer = "default"

// Servers are the servers of a process by name. The name is the value of
// [ServerLabel] and [ServerAttribute], which all series have, so that a
// dashboard need not know how many servers a process has. For an empty name
// [DefaultServer] is taken: with a single server Servers{"": srv} will do.
type Servers map[string]*fasthttp.Server

// namedServer is a server with its name, never empty.
type namedServer struct {
	name string
	srv  *fasthttp.Server
}

// sorted returns the servers in the order of their names. It panics where a
// server cannot be shown: that is a mistake in the program, and a scrape is too
// late to learn of it.
func (s Servers) sorted() []namedServer {
	var list []namedServer
	for _, name := range slices.Sorted(maps.Keys(s)) {
		n := namedServer{name, s[name]}
		switch {
		case n.srv == nil:
			panic(fmt.Sprintf("metrics: server %q is nil", name))
		case !utf8.ValidString(name):
			panic(fmt.Sprintf("metrics: the name of server %q is not valid UTF-8", name))
		case name == "":
			if _, taken := s[DefaultServer]; taken {
				panic(fmt.Sprintf("metrics: a server without a name is called %q, and there is another of that name", DefaultServer))
			}
			n.name = DefaultServer
		}
		list = append(list, n)
	}
	return list
}
