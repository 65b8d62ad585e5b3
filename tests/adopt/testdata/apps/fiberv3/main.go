package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/gofiber/fiber/v3"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "")
	flag.Parse()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)

	var served atomic.Int64
	app := fiber.New()
	app.Get("/", func(c fiber.Ctx) error {
		served.Add(1)
		return c.SendString("hello " + c.Query("name"))
	})
	ln, err := net.Listen("tcp4", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", ln.Addr())
	go func() {
		if err := app.Listener(ln, fiber.ListenConfig{DisableStartupMessage: true}); err != nil {
			log.Fatal(err)
		}
	}()
	<-stop
	err = app.Shutdown()
	fmt.Printf("served %d requests\n", served.Load())
	if err != nil {
		log.Fatal(err)
	}
}
