package fasthttp

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// acceptQueue asks for the length and the limit of a listening TCP socket's
// accept queue. For a socket in LISTEN the kernel reports them in the fields
// tcpi_unacked and tcpi_sacked of TCP_INFO (tcp_get_info in net/ipv4/tcp.c).
func acceptQueue(ln syscall.Conn) (length, limit int, ok bool) {
	err := control(ln, func(fd int) (err error) {
		length, limit, err = queueOf(fd)
		return err
	})
	return length, limit, err == nil
}

func queueOf(fd int) (length, limit int, err error) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, 0, err
	}
	return int(info.Unacked), int(info.Sacked), nil
}

// interruptThreads makes every system call that this process blocks in begin
// anew, with what flags its descriptor has by now: a signal whose action says
// SA_RESTART does that (signal(7)). The runtime has SIGURG installed like that, for preemption,
// and expects it at any time.
func interruptThreads() {
	pid := os.Getpid()
	tasks, _ := readNames("/proc/self/task")
	for _, task := range tasks {
		if tid, err := strconv.Atoi(task); err == nil {
			_ = unix.Tgkill(pid, tid, unix.SIGURG)
		}
	}
}

// unacknowledged is how many bytes of a socket, FIN included, the peer has not
// acknowledged: SIOCOUTQ, see tcp(7).
func unacknowledged(sock syscall.Conn) (n int, ok bool) {
	err := control(sock, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		return err
	})
	return n, err == nil
}
