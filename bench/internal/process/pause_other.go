//go:build !unix

package process

import (
	"errors"
	"os"
)

// Pause is not to be had here.
func Pause(*os.Process) error { return errors.ErrUnsupported }

// Resume is not to be had here.
func Resume(*os.Process) error { return errors.ErrUnsupported }
