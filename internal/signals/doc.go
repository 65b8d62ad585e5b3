// Package signals says which signals a Go program asks for, from its binary
// alone: stripped or not, and without running it.
//
// What a program asks for stands in its calls of signal.Notify and
// signal.NotifyContext. Three facts make them readable. The linker keeps a
// function that is called, and no other, so a program without Notify asks for
// nothing. The run-time's table of functions (the pclntab, which stripping leaves)
// says where each begins. And a function is handed its arguments in registers that
// are known since Go 1.17 (https://go.dev/s/regabi), so that following the few
// instructions before the call gives the slice of signals, as far as they are
// constants, package variables, or arguments of the function itself; for the
// latter its own callers are looked at in the same way.
//
// It is done for amd64 and arm64. What cannot be followed is said to be unknown,
// and never guessed.
package signals
