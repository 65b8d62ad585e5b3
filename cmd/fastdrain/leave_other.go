//go:build !unix

package main

import "context"

// leaveWith has no signals to add here.
func leaveWith(ctx context.Context) context.Context { return ctx }
