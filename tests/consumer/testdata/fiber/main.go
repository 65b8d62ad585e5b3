package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/gofiber/fiber/v3"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	app := fiber.New()
	app.Get("/", func(c fiber.Ctx) error { return c.SendString("hello") })
	app.Hooks().OnListen(func(l fiber.ListenData) error {
		_, err := fmt.Println(net.JoinHostPort(l.Host, l.Port))
		return err
	})
	go func() {
		config := fiber.ListenConfig{DisableStartupMessage: true}
		if err := app.Listen("127.0.0.1:0", config); err != nil {
			log.Fatal(err)
		}
	}()
	<-stop
	if err := app.Shutdown(); err != nil {
		log.Fatal(err)
	}
}
