// An app whose main ends when Listen returns, while Fiber's own goroutine calls
// Shutdown: the most common mistake of all.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os/signal"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v3"
)

func main() {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	app := fiber.New()
	app.Get("/", func(c fiber.Ctx) error { return c.SendString("hello") })
	app.Get("/slow", func(c fiber.Ctx) error {
		time.Sleep(300 * time.Millisecond)
		return c.SendString("done")
	})
	app.Hooks().OnListen(func(l fiber.ListenData) error {
		_, err := fmt.Println("listening on", net.JoinHostPort(l.Host, l.Port))
		return err
	})
	config := fiber.ListenConfig{DisableStartupMessage: true, GracefulContext: stop}
	if err := app.Listen("127.0.0.1:0", config); err != nil {
		log.Fatal(err)
	}
}
