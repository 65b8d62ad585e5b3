package main

import (
	"context"
	"crypto/tls"
	"net"
	"os/signal"
	"syscall"
	"time"

	fiberv2 "github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v3"
)

func init() {
	stands["fiber"] = func(e *env) error {
		app := e.fiber()
		return e.fiberServes(app, fiber.ListenConfig{}, app.ShutdownWithContext)
	}
	stands["fiber-timeout"] = func(e *env) error {
		app := e.fiber()
		return e.fiberServes(app, fiber.ListenConfig{}, func(context.Context) error { return app.ShutdownWithTimeout(e.context) })
	}
	stands["fiber-hooks"] = func(e *env) error {
		app := e.fiber()
		app.Hooks().OnPreShutdown(func() error {
			time.Sleep(50 * time.Millisecond)
			return nil
		})
		app.Hooks().OnPostShutdown(func(error) error { return nil })
		return e.fiberServes(app, fiber.ListenConfig{}, app.ShutdownWithContext)
	}
	stands["fiber-graceful"] = fiberGraceful
	stands["fiber-prefork"] = fiberPrefork
	stands["fiber2"] = func(e *env) error {
		app := e.fiber2(fiberv2.Config{})
		return e.fiber2Serves(app, app.ShutdownWithContext)
	}
	stands["fiber2-timeout"] = func(e *env) error {
		app := e.fiber2(fiberv2.Config{})
		return e.fiber2Serves(app, func(context.Context) error { return app.ShutdownWithTimeout(e.context) })
	}
	stands["fiber2-prefork"] = fiber2Prefork
}

func (e *env) fiber() *fiber.App {
	app := fiber.New()
	answer := func(c fiber.Ctx) error {
		e.run(c.Query("id"), c.Path())
		c.Set("X-Id", c.Query("id"))
		return c.SendString("ok")
	}
	app.All("/fast", answer)
	app.All("/wait", answer)
	return app
}

// fiberServes is the usual main of a Fiber app.
func (e *env) fiberServes(app *fiber.App, conf fiber.ListenConfig, stop func(context.Context) error) error {
	ln, err := e.listen()
	if err != nil {
		return err
	}
	conf.DisableStartupMessage = true
	go func() { _ = app.Listener(e.secure(ln), conf) }()
	listening(ln)
	e.shutdown(stop)
	account(app.Server())
	return nil
}

// fiberGraceful ends when Listen returns, while Fiber's own goroutine shuts down.
func fiberGraceful(e *env) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	context.AfterFunc(stop, e.stops)
	app := e.fiber()
	app.Hooks().OnListen(func(l fiber.ListenData) error {
		say(event{Event: "listening", Addr: net.JoinHostPort(l.Host, l.Port)})
		return nil
	})
	conf := fiber.ListenConfig{DisableStartupMessage: true, GracefulContext: stop}
	begun := time.Now()
	var err error
	if e.tls != nil {
		// Listen takes certificates from files only, and these are made here.
		conf.TLSConfig = &tls.Config{Certificates: e.tls.Certificates}
	}
	err = app.Listen(e.addr, conf)
	returned(err, time.Since(begun))
	return nil
}

// fiberPrefork has children that stop on SIGTERM, and a master that Fiber runs.
func fiberPrefork(e *env) error {
	app := e.fiber()
	conf := fiber.ListenConfig{DisableStartupMessage: true, EnablePrefork: true}
	if !fiber.IsChild() {
		e.lead()
		return app.Listen(e.addr, conf)
	}
	return e.child(func() error { return app.Listen(e.addr, conf) }, app.ShutdownWithContext, func() { account(app.Server()) })
}

func (e *env) fiber2(conf fiberv2.Config) *fiberv2.App {
	conf.DisableStartupMessage = true
	app := fiberv2.New(conf)
	answer := func(c *fiberv2.Ctx) error {
		id := string(append([]byte(nil), c.Query("id")...))
		e.run(id, c.Path())
		c.Set("X-Id", id)
		return c.SendString("ok")
	}
	app.All("/fast", answer)
	app.All("/wait", answer)
	return app
}

func (e *env) fiber2Serves(app *fiberv2.App, stop func(context.Context) error) error {
	ln, err := e.listen()
	if err != nil {
		return err
	}
	go func() { _ = app.Listener(e.secure(ln)) }()
	listening(ln)
	e.shutdown(stop)
	account(app.Server())
	return nil
}

func fiber2Prefork(e *env) error {
	app := e.fiber2(fiberv2.Config{Prefork: true})
	if !fiberv2.IsChild() {
		e.lead()
		return app.Listen(e.addr)
	}
	return e.child(func() error { return app.Listen(e.addr) }, app.ShutdownWithContext, func() { account(app.Server()) })
}

// child is a child of a prefork: the master starts it again if it ends on its own.
func (e *env) child(listen func() error, stop func(context.Context) error, account func()) error {
	go func() { _ = listen() }()
	e.shutdown(stop)
	account()
	return nil
}

// lead is the master of a prefork, which SIGTERM ends: it does nothing about it.
func (e *env) lead() {
	signal.Reset(syscall.SIGTERM)
	say(event{Event: "addressed", Addr: e.addr})
}
