// Package doctor builds services that drain at SIGTERM and services that never do,
// with the real command and real modules, and asks fastdrain doctor about them.
// Whether it says the truth is seen by sending them SIGTERM while they answer a
// request.
//
// It also has the sources looked through, as a command and as a vet tool, and
// govulncheck asked about one of them, with an advisory that is made up.
package doctor
