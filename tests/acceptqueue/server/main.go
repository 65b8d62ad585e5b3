// Command server is the server that the tests of the accept queue stop: it says
// where it listens, answers until SIGTERM, and then says how the drain went, in
// JSON, and for how long the machine did not let it run meanwhile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"
)

func main() {
	network := flag.String("network", "tcp", "the listener's `network`")
	addr := flag.String("addr", "127.0.0.1:0", "listen on `address`")
	inherited := flag.Bool("inherited", false, "serve the listening socket that is descriptor 3 instead")
	multipath := flag.Bool("mptcp", true, "listen for MPTCP too, as Go does, if the kernel has it")
	group := flag.Int("group", 0, "listen this many times, on sockets of one SO_REUSEPORT group")
	flag.Parse()

	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	var lc net.ListenConfig
	lc.SetMultipathTCP(*multipath)
	if *group > 0 {
		lc.Control = reusePort
	}
	ln, err := lc.Listen(context.Background(), *network, *addr)
	if *inherited {
		ln, err = net.FileListener(os.NewFile(3, "listener"))
	}
	if err != nil {
		log.Fatal(err)
	}
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("hello") }}
	account := prepare(srv)
	listeners := []net.Listener{ln}
	for len(listeners) < *group {
		another, err := lc.Listen(context.Background(), *network, ln.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		listeners = append(listeners, another)
	}
	fmt.Println("listening on", ln.Addr())
	failed := make(chan error, len(listeners))
	for _, ln := range listeners {
		go func() { failed <- srv.Serve(ln) }()
	}
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-stop.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := srv.ShutdownWithContext(grace); err != nil {
		log.Fatal(err)
	}
	account()
}

// reusePort sets SO_REUSEPORT.
func reusePort(_, _ string, c syscall.RawConn) (err error) {
	cerr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(cerr, err)
}
