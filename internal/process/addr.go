package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
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
