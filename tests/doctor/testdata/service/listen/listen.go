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

// Work is what a handler does until the file RELEASE is there. It says when it begins.
func Work() {
	fmt.Println("working")
	for {
		if _, err := os.Stat(os.Getenv("RELEASE")); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
