package acceptqueue

import (
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wantNoAnswer wants a connection attempt to get none.
func wantNoAnswer(t *testing.T, addr string) {
	t.Helper()
	// Half of the retry's second.
	if c, err := net.DialTimeout("tcp4", addr, 500*time.Millisecond); err == nil || !isTimeout(err) {
		if err == nil {
			_ = c.Close()
		}
		t.Errorf("a connection attempt ends in %v, want no answer", err)
	}
}

// The SYN filter takes a privilege; a socket that cannot have it stays as it was.
// It is taken off: whoever has the socket unseen goes on.
func TestSYNFilter(t *testing.T) {
	ln := grouped(t, "tcp4", "127.0.0.1:0")
	undo, err := filterSYN(ln)
	if err == nil {
		wantNoAnswer(t, ln.Addr().String())
		undo()
	} else if !errors.Is(err, unix.EPERM) {
		t.Fatal(err)
	}
	c, err := net.DialTimeout("tcp4", ln.Addr().String(), 500*time.Millisecond)
	if err != nil {
		t.Fatal("without the filter: ", err)
	}
	_ = c.Close()
}

// filterUntil attaches a filter that ends by itself.
func filterUntil(t *testing.T, ln *net.TCPListener, end time.Time) {
	t.Helper()
	if err := filterSYNUntil(ln, end); errors.Is(err, unix.EPERM) {
		t.Skip("takes CAP_BPF: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
}

// A filter that ends by itself is in force until then, and no longer. What had no
// answer is tried again after a second.
func TestFilterThatEndsByItself(t *testing.T) {
	ln := grouped(t, "tcp4", "127.0.0.1:0")
	end := time.Now().Add(300 * time.Millisecond)
	filterUntil(t, ln, end)
	c := dial(t, ln)
	if early := time.Until(end); early > 0 {
		t.Errorf("a connection is there %v before the filter ends", early)
	}
	served, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = served.Read(make([]byte, 1))
	_, _ = served.Write([]byte("hello"))
	_ = served.Close()
	wantHello(t, c)
	for _, never := range []time.Time{{}, time.Now().Add(-time.Second)} {
		filterUntil(t, ln, never)
		c, err := net.DialTimeout("tcp4", ln.Addr().String(), 500*time.Millisecond)
		if err != nil {
			t.Fatalf("with a filter until %v: %v", never, err)
		}
		_ = c.Close()
	}
}

// The filter is in force when the socket is closed, as what gets in behind it is
// reset then. So it is still there when the stop has done with the socket.
func TestFilterIsThereAtTheClose(t *testing.T) {
	only = SYNFilter
	defer func() { only = "" }()
	ln := grouped(t, "tcp4", "127.0.0.1:0")
	filterUntil(t, ln, time.Now())
	q := New(ln, nil)
	q.until = time.Now().Add(bound)
	s, why := q.choose()
	if s.name() != SYNFilter || why != "no twin: not wanted" {
		t.Fatalf("%s: %s, want a filter that ends by itself", s.name(), why)
	}
	unseen, err := ln.File()
	if err != nil {
		t.Fatal(err)
	}
	defer unseen.Close()
	_ = ln.Close()
	s.release(new(Report))
	wantNoAnswer(t, ln.Addr().String())
}

// Clients that try to connect again and again, without a pause, find no moment in
// which a connection is established and then reset. With a filter that is taken off
// before the close they find one in about one of ten stops.
func TestNothingGetsInBehindTheFilter(t *testing.T) {
	only = SYNFilter
	defer func() { only = "" }()
	for range 60 {
		ln := grouped(t, "tcp4", "127.0.0.1:0")
		filterUntil(t, ln, time.Now())
		l := startLoop(ln, nil)
		ends := make(chan error, 2)
		for range cap(ends) {
			go func() { ends <- hail(ln.Addr().(*net.TCPAddr).Port) }()
		}
		wantHello(t, dial(t, ln))
		r := l.end(t)
		if r.Strategy != SYNFilter || r.Why != "no twin: not wanted" || !r.Emptied {
			t.Fatalf("%+v, want a filter that ends by itself", r)
		}
		for range cap(ends) {
			if err := <-ends; !errors.Is(err, unix.ECONNREFUSED) {
				t.Fatalf("an established connection ends in %v", err)
			}
		}
	}
}

// hail connects again and again, until it has an error.
func hail(port int) (err error) {
	to := &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	for end := time.Now().Add(bound); err == nil; {
		if time.Now().After(end) {
			return errors.New("the listener is not closed")
		}
		err = attempt(to)
	}
	return err
}

// attempt connects, and if that succeeds at once wants an answer.
func attempt(to unix.Sockaddr) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, to); err != nil && err != unix.EINPROGRESS {
		return err
	}
	if !ready(fd, unix.POLLOUT, 0) {
		return nil
	}
	if errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || errno != 0 {
		return errors.Join(err, syscall.Errno(errno))
	}
	if _, err := unix.Write(fd, []byte{'?'}); err != nil {
		return err
	}
	if !ready(fd, unix.POLLIN, bound) {
		return errors.New("no answer")
	}
	n, err := unix.Read(fd, make([]byte, 8))
	if err == nil && n == 0 {
		err = errors.New("no hello")
	}
	return err
}

// ready says whether a descriptor is ready in time.
func ready(fd int, events int16, in time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		n, err := unix.Poll(fds, int(in.Milliseconds()))
		if err != unix.EINTR {
			return n > 0
		}
	}
}

// Where a seccomp filter may kill for bpf(2), as systemd's do, it is not called.
func TestConfinedProcessDoesNotCallBPF(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("takes root")
	}
	r := namesake.stopChild(t, "confined filtered")
	if r.Strategy != SYNFilter || !strings.Contains(r.Why, "seccomp") || !r.Emptied {
		t.Errorf("%+v, want a filter of the old kind", r)
	}
}

// confine has the kernel kill this process if it calls bpf(2).
func confine() error {
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // nr of struct seccomp_data
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_BPF, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return os.NewSyscallError("seccomp", errno)
	}
	return nil
}

// In a time namespace the kernel's clock is another than the one that the process
// sees: the filter would end at some other time.
func TestNoEndOfItsOwnInATimeNamespace(t *testing.T) {
	k := kind{"in a time namespace", syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWTIME}}
	if os.Geteuid() != 0 {
		t.Skip("takes root")
	}
	r := k.stopChild(t, "serve filtered")
	if r.Strategy != SYNFilter || !strings.Contains(r.Why, "time namespace") || !r.Emptied {
		t.Errorf("%+v, want a filter of the old kind", r)
	}
}
