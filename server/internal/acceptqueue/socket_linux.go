package acceptqueue

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// lengthOf asks for the length and the limit of a listening TCP socket's accept
// queue. For a socket in LISTEN the kernel reports them in the fields
// tcpi_unacked and tcpi_sacked of TCP_INFO (tcp_get_info in net/ipv4/tcp.c).
func lengthOf(sock socket) (length, limit int, ok bool) {
	err := control(sock, func(fd int) (err error) {
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
// SA_RESTART does that (signal(7)). The runtime has SIGURG installed like that,
// for preemption, and expects it at any time.
func interruptThreads() {
	pid := os.Getpid()
	_ = eachName("/proc/self/task", func(_ int, task string) error {
		status, _ := os.ReadFile("/proc/self/task/" + task + "/status")
		_, ids, _ := bytes.Cut(status, []byte("\nNSpid:"))
		ids, _, _ = bytes.Cut(ids, []byte{'\n'})
		// Where /proc is that of an outer PID namespace the last is the one here.
		if all := bytes.Fields(ids); len(all) > 0 {
			task = string(all[len(all)-1])
		}
		if tid, err := strconv.Atoi(task); err == nil {
			_ = unix.Tgkill(pid, tid, unix.SIGURG)
		}
		return nil
	})
}
