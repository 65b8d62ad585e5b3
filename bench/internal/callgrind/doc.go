// Package callgrind counts the instructions that a program executes, under
// valgrind, and which of them are atomic read-modify-writes.
//
// What it counts does not depend on how busy the machine is. A count is the
// difference of two runs of different lengths, divided by the difference in
// requests, so a program's start and end do not matter.
package callgrind
