// Package service takes the patched copy into the module of a service, and out of
// it again.
//
// [Plan] finds out what go.mod becomes and what else has to follow, and writes
// nothing; [Adoption.Write] writes it, after a note in the copy's folder of what
// was there before. [Remove] goes by that note: it gives back the bytes where
// nothing else has changed, and takes out only what Plan and the go command put in
// for the copy's sake where something has.
package service
