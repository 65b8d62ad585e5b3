// Command handover is a server whose next version takes the port over: no client
// is refused, and none loses a request.
//
//	handover -addr :8080 &
//	handover -addr :8080 -replace $!
//
// Both listen with SO_REUSEPORT for a moment. As soon as the new process
// accepts, it sends SIGTERM to the old one, which drains and exits. Both have to
// run as the same user, which the kernel asks for.
//
// What is in the old process's accept queue it accepts and serves. What becomes
// of the handshakes under way there:
//
//   - With the sysctl net.ipv4.tcp_migrate_req at 1 (Linux 5.14, IPv6 too) the
//     kernel hands them to the new process. No client notices. This is the one to
//     use.
//   - Without it, where the old process may attach a SYN filter (CAP_BPF or
//     CAP_NET_ADMIN) they finish and are served. A client that connects meanwhile
//     may have to try again, after a second, and then reaches the new process.
//     The kernel refuses the filter for an MPTCP socket, so this listens for TCP
//     alone.
//   - With neither they are reset, one for each connection that was opened
//     within a round trip before.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os/signal"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "listen on `address`")
	replace := flag.Int("replace", 0, "take the port over from the process with this `PID`")
	flag.Parse()

	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	ln, err := listen(*addr)
	if err != nil {
		log.Fatal(err)
	}
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("hello") }}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	fmt.Println("listening on", ln.Addr())
	if *replace != 0 {
		if err := syscall.Kill(*replace, syscall.SIGTERM); err != nil {
			log.Fatalf("cannot stop process %d: %v", *replace, err)
		}
	}
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-stop.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err = srv.ShutdownWithContext(grace)
	log.Println(srv.DrainReport())
	if err != nil {
		log.Fatal(err)
	}
}

// listen listens beside an old process.
func listen(addr string) (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if cerr := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}); cerr != nil {
			return cerr
		}
		return err
	}}
	lc.SetMultipathTCP(false)
	return lc.Listen(context.Background(), "tcp", addr)
}
