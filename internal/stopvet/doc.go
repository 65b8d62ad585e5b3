// Package stopvet finds in the sources of a service what loses requests at its
// stop whatever the server does: analyzers for go vet, one a mistake.
//
// They know the servers of fasthttp, Fiber and atreugo, and functions of the same
// package that call them. What they cannot follow they do not report: a finding is
// meant to be one.
package stopvet
