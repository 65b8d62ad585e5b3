//go:build !plan9

package fasthttp

import (
	"errors"
	"syscall"
)

// brokenByPeer says whether an error is that the peer has reset the connection, or
// closed it before something was written.
func brokenByPeer(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
