// Package project knows the layout of this project: where PATCHES.md, the pin
// and our server files are, and how the patched copy of an upstream version is
// made of them.
//
// Making a copy reads only; what is made goes to disk through package tree.
package project
