// Package model checks the stop for every interleaving: drain.pml is a model, in
// Promela, of the serve loop, the drain and a scrape, and the test has spin check
// it. The mutants of the model, each without one of the orders or locks that the
// server keeps, or without a look that it takes, have to fail.
package model
