package link

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	device = "tun0"
	mtu    = 1500
)

// openTUN makes the namespace's end of the link. Reading the file gives the
// packets that the namespace sends, one each; writing gives it one. The device
// goes when the file is closed.
//
// See Documentation/networking/tuntap.rst in the kernel's sources.
func (n *Namespace) openTUN() (*os.File, error) {
	fd := -1
	err := n.Do(func() (err error) {
		const name = "/dev/net/tun"
		fd, err = unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		req, err := unix.NewIfreq(device)
		if err != nil {
			return err
		}
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
			return fmt.Errorf("cannot make a TUN device: %w", err)
		}
		return nil
	})
	if err != nil {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
		return nil, err
	}
	f := os.NewFile(uintptr(fd), device)
	for _, args := range [][]string{
		{"address", "add", n.IPv4.String() + "/24", "dev", device},
		{"address", "add", n.IPv6.String() + "/64", "dev", device, "nodad"},
		{"link", "set", "dev", device, "mtu", strconv.Itoa(mtu), "txqueuelen", "16384", "up"},
	} {
		if err := n.ip(args...); err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}
