//go:build !unix

package probe

import (
	"errors"
	"syscall"
)

func Look(syscall.RawConn) (Received, error) {
	return 0, errors.New("not possible on this system: run it on a Unix system")
}
