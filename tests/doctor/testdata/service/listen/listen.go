// Package listen is what the services have in common.
package listen

import (
	"fmt"
	"net"
	"os"
	"time"
)

// On listens where the environment says, and says so.
func On() net.Listener {
	ln, err := net.Listen("tcp4", os.Getenv("ADDR"))
	if err != nil {
		panic(err)
	}
	fmt.Println("listening on", ln.Addr())
	return ln
}

// Work is what a handler does for a while. It says when it begins.
func Work() {
	fmt.Println("working")
	time.Sleep(300 * time.Millisecond)
}
