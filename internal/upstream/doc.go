// Package upstream takes versions of a module from the Go module cache, and has
// the go command download them when they are not there.
//
// The files come from the module's zip file, whose hash is computed anew each
// time: a module cache whose extracted copy somebody has edited does not matter.
// Nothing is asked of the network for a version that the cache holds.
package upstream
