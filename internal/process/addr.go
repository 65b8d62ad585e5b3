package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// The ports of FreeAddr. Systems give those above of their own accord: to who listens
// on port 0, and to the near end of each connection.
const firstPort, ports = 20000, 32768 - 20000

var given sync.Map // the ports that FreeAddr has returned

// FreeAddr returns an address on loopback that nobody listens on, for a program that
// cannot say where it listens. Until that does, the system gives it to nobody; another
// process that calls FreeAddr may get it.
func FreeAddr() (string, error) {
	err := errors.New("all that were tried have been given already")
	for range 1000 {
		port := firstPort + rand.IntN(ports)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		var ln net.Listener
		if ln, err = net.Listen("tcp4", addr); err != nil {
			continue
		}
		return addr, ln.Close()
	}
	return "", fmt.Errorf("no port of %d to %d is free: %w", firstPort, firstPort+ports-1, err)
}

// dialTime is how long a connection over loopback may take: the kernel asks again for
// one only after a second, and a server that stops may drop such requests for a moment
// before it refuses them.
const dialTime = 50 * time.Millisecond

// AwaitRefused waits until connections to an address on loopback are refused, which is
// what a client sees of a server that has begun to stop, or has ended. One that is not
// answered is no proof: on a busy machine it may be the client who is late. No event
// tells it, so it asks again and again. It is an error if none was refused within bound.
func AwaitRefused(addr string, bound time.Duration) error {
	for end := time.Now().Add(bound); time.Now().Before(end); time.Sleep(time.Millisecond) {
		conn, err := net.DialTimeout("tcp", addr, dialTime)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	return fmt.Errorf("%s is still listened on after %v", addr, bound)
}
