// Package documents keeps the documents true: their Go compiles against the copy, what
// they say of Go's embedding is so, their links lead to files, and the commands, flags,
// make targets, declarations and tests that they name exist.
//
// It also wants one place for what is written in several: the names of outcomes,
// verdicts and phases, and the version of upstream.
package documents
