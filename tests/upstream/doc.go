// Package upstream runs upstream's own test suite on the patched copy.
//
// Nothing of the suite is left out or changed. A failure is excused only if
// known_failures.txt names the test and the test says what the list says that
// it says: those fail on the pristine upstream too, where the machine lacks
// something. A test that fails otherwise is run once more, alone, as some of
// upstream's tests measure time; that this was needed is said at the end. A data
// race or a panic gets no second run.
package upstream
