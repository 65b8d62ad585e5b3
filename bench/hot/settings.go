package hot

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// longTimeout is a timeout as services set it. No benchmark comes near it.
const longTimeout = 10 * time.Second

var plaintext = []byte("Hello, World!")

// handler answers as the plaintext test of well-known benchmarks does.
func handler(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("text/plain")
	ctx.SetBody(plaintext)
}

func post(size int) string {
	return fmt.Sprintf("POST /upload HTTP/1.1\r\nHost: example.com\r\n"+
		"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
}

func timeouts(s *fasthttp.Server) {
	s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = longTimeout, longTimeout, longTimeout
}

func reduceMemory(s *fasthttp.Server) { s.ReduceMemoryUsage = true }

var copyBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func streamBody(s *fasthttp.Server) {
	s.StreamRequestBody = true
	s.Handler = func(ctx *fasthttp.RequestCtx) {
		buf := copyBuffers.Get().(*bytes.Buffer)
		buf.Reset()
		if n, err := io.Copy(buf, ctx.RequestBodyStream()); err != nil || n != int64(ctx.Request.Header.ContentLength()) {
			ctx.Error("the body is not complete", fasthttp.StatusBadRequest)
		} else {
			handler(ctx)
		}
		copyBuffers.Put(buf)
	}
}

func timeoutHandler(s *fasthttp.Server) {
	s.Handler = fasthttp.TimeoutHandler(handler, longTimeout, "timeout")
}

func connState(s *fasthttp.Server) {
	var active atomic.Int64
	s.ConnState = func(_ net.Conn, state fasthttp.ConnState) {
		if state == fasthttp.StateActive {
			active.Add(1)
		}
	}
}
