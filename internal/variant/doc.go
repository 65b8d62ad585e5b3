// Package variant builds one and the same source against different copies of
// fasthttp: upstream's, the patched one in server/, or one in any directory.
//
// It guarantees that nothing in the checkout changes: each variant has a go.mod
// of its own in the directory of the binaries, which is the module's but for
// where fasthttp comes from. [Inspect] says what a binary really contains.
package variant
