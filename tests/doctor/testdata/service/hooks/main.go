// Fiber, stopped by a signal, with a hook that runs then.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/gofiber/fiber/v3"

	"example.com/services/listen"
)

var signals = []os.Signal{syscall.SIGINT, syscall.SIGTERM}

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, signals...)
	app := fiber.New()
	app.Hooks().OnPreShutdown(func() error { fmt.Println("hook"); return nil })
	app.Get("/", func(fiber.Ctx) error { listen.Work(); return nil })
	go app.Listener(listen.On(), fiber.ListenConfig{DisableStartupMessage: true})
	<-stop
	app.Shutdown()
}
