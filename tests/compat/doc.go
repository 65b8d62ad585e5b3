// Package compat tests that the patched server is never worse than upstream, whatever
// it stands on. Upstream is the oracle: each situation of the table, and each draw of
// the composer, happens to both. What is compared is which requests were answered,
// what was executed in vain, who was reset, what else was harmed, whether the stop
// came to its end in time, and, of the copy alone, whether its account adds up.
//
// It is a module of its own, so that nobody else gets what the stands require.
package compat
