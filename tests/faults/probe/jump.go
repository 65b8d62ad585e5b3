//go:build clockjump

package main

import "time"

func init() { jumpClock = time.Jump }
