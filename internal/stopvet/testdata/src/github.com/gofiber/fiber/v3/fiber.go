package fiber

import (
	"context"
	"time"
)

type App struct{}

type ListenConfig struct {
	EnablePrefork   bool
	GracefulContext context.Context
}

func New() *App { return nil }

func (a *App) Listen(addr string, c ...ListenConfig) error { return nil }
func (a *App) Shutdown() error                             { return nil }
func (a *App) ShutdownWithTimeout(d time.Duration) error   { return nil }
