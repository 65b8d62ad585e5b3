//go:build !fastdrain

package main

import "github.com/valyala/fasthttp"

// configure does nothing: upstream has no drain to set up.
func configure(*fasthttp.Server, settings) {}

// listenersClosed knows of no drain: Serve returns when its listener is closed.
func listenersClosed(*fasthttp.Server) bool { return false }

// openConns has nothing to wait for: upstream keeps no account.
func openConns(*fasthttp.Server) int { return 0 }

// account has nothing to say: upstream keeps none.
func account(*fasthttp.Server) []string { return nil }

func (r *rig) sayOutcomes() {}
