module github.com/fastdrain/fastdrain/tests/compat

go 1.26.0

require (
	github.com/fastdrain/fastdrain v0.0.0-00010101000000-000000000000
	github.com/gofiber/contrib/v3/websocket v1.0.0
	github.com/pires/go-proxyproto v0.8.1
	github.com/soheilhy/cmux v0.1.5
	github.com/valyala/fasthttp v1.78.0
	github.com/valyala/tcplisten v1.0.0
	golang.org/x/crypto v0.58.0
	golang.org/x/net v0.62.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/gofiber/schema v1.7.0 // indirect
	github.com/gofiber/utils/v2 v2.0.2 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/mattn/go-runewidth v0.0.16 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/savsgio/gotils v0.0.0-20250924091648-bce9a52d7761 // indirect
	github.com/tinylib/msgp v1.6.3 // indirect
	golang.org/x/mod v0.42.0 // indirect
)

require (
	github.com/cloudflare/tableflip v1.2.3
	github.com/fasthttp/router v1.5.4
	github.com/fasthttp/websocket v1.5.12
	github.com/gofiber/fiber/v2 v2.52.9
	github.com/gofiber/fiber/v3 v3.1.0
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/molecule-man/go-brrr v1.3.1 // indirect
	github.com/savsgio/atreugo/v11 v11.12.0
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/sys v0.49.0
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/valyala/fasthttp => ../../server

replace github.com/fastdrain/fastdrain => ../..
