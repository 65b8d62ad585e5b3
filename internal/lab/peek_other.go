//go:build !unix

package lab

import (
	"errors"
	"syscall"
)

func peek(syscall.RawConn) (peekState, error) {
	return 0, errors.New("not possible on this system: run the lab on a Unix system")
}
