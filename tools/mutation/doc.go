// Command mutation shows that the tests named in PATCHES.md prove the patches:
// it takes the effect of each patch away, one at a time, and demands that a test
// named by the patch fails.
//
// Each mutant is a whole patched copy in a temporary directory, with our tests
// and without upstream's. It has to compile: a compile error proves nothing, and
// so does a test that is killed because it hangs.
//
// Where the code would not compile without a patch, mutants.go has a neutral
// text for it: mostly the call that upstream makes there.
package main
