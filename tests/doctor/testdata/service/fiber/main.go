// Fiber's Listen holds Shutdown, and nothing calls it.
package main

import (
	"github.com/gofiber/fiber/v3"

	"example.com/services/listen"
)

func main() {
	app := fiber.New()
	app.Get("/", func(fiber.Ctx) error { listen.Work(); return nil })
	app.Listener(listen.On(), fiber.ListenConfig{DisableStartupMessage: true})
}
