package main

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/gofiber/fiber/v3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	app := fiber.New()
	app.Listen(":8080", fiber.ListenConfig{GracefulContext: ctx}) // want `mainreturns: .*main ends when this returns`
}
