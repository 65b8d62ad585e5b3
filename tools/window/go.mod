module github.com/valyala/fasthttp/tools/window

go 1.26.0

require (
	github.com/jedib0t/go-pretty/v6 v6.8.3
	github.com/mattn/go-isatty v0.0.24
	github.com/urfave/cli/v3 v3.14.0
	github.com/valyala/fasthttp v1.78.0
)

require (
	github.com/mattn/go-runewidth v0.0.16 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

// The rule is in an internal package of the patched copy, so this module has a
// path below the copy's.
replace github.com/valyala/fasthttp => ../../server
