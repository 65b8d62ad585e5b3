// Package fasthttp has the names of the real one that the analyzers know.
package fasthttp

import (
	"context"
	"time"
)

type Drain struct{ LameDuck, FinalRead time.Duration }

type Server struct{ Drain Drain }

func (s *Server) ListenAndServe(addr string) error              { return nil }
func (s *Server) Shutdown() error                               { return nil }
func (s *Server) ShutdownWithContext(ctx context.Context) error { return nil }

func ListenAndServe(addr string, h func()) error { return nil }
