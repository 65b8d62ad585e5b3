//go:build !fastdrain

package main

import "github.com/valyala/fasthttp"

// configure does nothing: upstream has no drain to set up.
func configure(*fasthttp.Server, settings) {}

// account has nothing to say: upstream keeps none.
func account(*fasthttp.Server) []string { return nil }

func (r *rig) sayOutcomes() {}
