// Package adopt does what somebody does who takes the patched copy into a
// service: real modules that use fasthttp, from the module proxy, in new folders,
// with the real command, stopped under load. For each of them the same service
// without the copy is the control, which has to lose requests.
//
// It also looks closely at one stop of each: what is sent on a kept connection right
// after SIGTERM is answered, with close and then FIN, with the copy; and lost without.
//
// The scripts in testdata are what is typed; see the package testscript of
// rogpeppe/go-internal. "loses PROGRAM" stops a program under load and is true
// if requests were lost.
package adopt
