package fasthttp

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// scanTime bounds the look for others that have a listening socket open, to half
// of the time for the accept queue. It takes 2 ms where a hundred processes have
// 600 descriptors.
const scanTime = acceptTime / 2

// sharedSocket says, with an error, that somebody else has the socket open or
// may have: a process that it was inherited from or handed to, as with prefork,
// systemd's socket activation or a restart that passes descriptors on. Then
// closing it resets nothing, the others go on accepting, and whatever else is
// done to the socket would be done to them.
//
// The kernel tells nobody how many have a socket open, so this looks for its
// inode under /proc (proc_pid_fd(5)), where the processes of other users do not
// show theirs; of those only systemd hands sockets out, and says so
// (sd_listen_fds(3)).
func sharedSocket(sc syscall.Conn) error {
	var name string
	err := control(sc, func(fd int) error {
		inode, err := socketInode(fd)
		name = fmt.Sprintf("socket:[%d]", inode)
		return err
	})
	if err != nil {
		return err
	}
	if env, err := os.ReadFile("/proc/self/environ"); err == nil {
		pid := "LISTEN_PID=" + strconv.Itoa(os.Getpid())
		for v := range bytes.SplitSeq(env, []byte{0}) {
			if string(v) == pid {
				return errors.New("systemd has passed sockets to this process")
			}
		}
	}
	proc, err := readNames("/proc")
	if err != nil {
		return err
	}
	self, end, seen := strconv.Itoa(os.Getpid()), time.Now().Add(scanTime), 0
	for _, pid := range proc {
		if pid[0] < '0' || pid[0] > '9' {
			continue
		}
		if time.Now().After(end) {
			return errors.New("there are too many open files to know whether another process has the socket")
		}
		n, err := countDescriptors("/proc/"+pid+"/fd", name)
		if err != nil {
			continue // gone, or another user's
		}
		if seen += n; n > 0 && pid != self || seen > 1 {
			return errors.New("the socket is open a second time, here or in another process")
		}
	}
	if seen == 0 {
		return errors.New("/proc does not show the socket")
	}
	return nil
}

// countDescriptors counts the descriptors in a directory of /proc that are the
// named file.
func countDescriptors(dir, name string) (n int, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	fds, err := f.Readdirnames(-1)
	var link [64]byte
	for _, fd := range fds {
		size, err := unix.Readlinkat(int(f.Fd()), fd, link[:])
		if err == nil && string(link[:size]) == name {
			n++
		}
	}
	return n, err
}

// readNames lists a directory in no order.
func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
