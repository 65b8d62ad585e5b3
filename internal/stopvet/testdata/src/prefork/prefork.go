package prefork

import (
	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/prefork"
)

func ofFiber(app *fiber.App) {
	app.Listen(":8080", fiber.ListenConfig{EnablePrefork: true}) // want `prefork: .*SIGTERM reaches the master`
	app.Listen(":8081", fiber.ListenConfig{EnablePrefork: false})
}

func ofFasthttp(srv *fasthttp.Server) {
	prefork.New(srv).ListenAndServe(":8080") // want `prefork: .*SIGTERM reaches the master`
}
