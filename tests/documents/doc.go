// Package consumer is a user's view of the project: a new module, the real
// command, a copy of its own, a process, connections.
//
// It shows that the replace line that fastdrain vendor sets reaches the binary,
// that a service of a few lines and an unchanged Fiber app then answer a
// request that arrives on a kept-alive connection right after SIGTERM, and that
// the same app without the line loses it. It keeps the documents true: their Go
// compiles against the copy, their links lead to files, and the commands, flags,
// make targets and tests that they name exist.
//
// The modules that a consumer needs come from the module cache or a module
// proxy. Without them the tests fail; they never skip.
package consumer
