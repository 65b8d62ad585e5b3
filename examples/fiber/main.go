// Command fiber is a Fiber app that stops cleanly on SIGTERM. It is in a module
// of its own, whose replace line is what a service needs.
package main

import (
	"flag"
	"fmt"
	"log"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp/drainrun"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "listen on `address`; port 0 takes a free one")
	flag.Parse()

	app := fiber.New()
	app.Get("/", func(c fiber.Ctx) error { return c.SendString("hello") })
	// For a readiness probe. Fiber's own healthcheck.NewReadinessProbe takes
	// it, too.
	app.Get("/ready", func(c fiber.Ctx) error {
		if !app.Server().Ready() {
			return c.SendStatus(fiber.StatusServiceUnavailable)
		}
		return c.SendStatus(fiber.StatusOK)
	})
	app.Hooks().OnListen(func(l fiber.ListenData) error {
		_, err := fmt.Printf("listening on %s:%s\n", l.Host, l.Port)
		return err
	})

	serve := func() error {
		return app.Listen(*addr, fiber.ListenConfig{DisableStartupMessage: true})
	}
	err := drainrun.Run(app.Server(), serve, drainrun.Options{
		Shutdown: app.ShutdownWithContext, // the app's hooks run
		Logger:   log.Default(),           // the one that Fiber gives its server drops everything
	})
	if err != nil {
		log.Fatal(err)
	}
}
