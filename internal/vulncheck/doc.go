// Package vulncheck asks govulncheck about a binary that is made with the patched
// copy, as it would be asked if it were made with upstream's version.
//
// Govulncheck looks a module up by what stands behind => in go.mod, and a folder
// has no advisories (https://go.dev/issue/68254). So what it extracts from a
// binary (-mode extract) gets the module's own name back, with the version that
// the copy is made of, and is scanned then. The functions that are linked are in
// it, so what is found is what the program can call.
package vulncheck
