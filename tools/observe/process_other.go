//go:build !unix

package observe

import "syscall"

func ownGroup() *syscall.SysProcAttr { return nil }
