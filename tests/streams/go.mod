module github.com/fastdrain/fastdrain/tests/streams

go 1.26.0

require (
	github.com/fastdrain/fastdrain v0.0.0
	github.com/fasthttp/websocket v1.5.12
	github.com/valyala/fasthttp v1.78.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/molecule-man/go-brrr v1.3.1 // indirect
	github.com/savsgio/gotils v0.0.0-20240704082632-aef3928b8a38 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/valyala/fasthttp => ../../server

replace github.com/fastdrain/fastdrain => ../..
