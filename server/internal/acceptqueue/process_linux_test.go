package acceptqueue

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is also the program of the processes that the tests start: it
// does what this variable says.
const childVariable = "ACCEPTQUEUE_TEST_CHILD"

func TestMain(m *testing.M) {
	scanTime = bound / 2 // not to be too short on a loaded machine
	do := os.Getenv(childVariable)
	if do == "" {
		os.Exit(m.Run())
	}
	if err := child(strings.Fields(do)); err != nil {
		_ = json.NewEncoder(os.Stdout).Encode(Report{Why: err.Error()})
		os.Exit(1)
	}
}

// child takes the listening socket that is descriptor 3 (inherited), or makes one
// (own, or filtered, which keeps it from having a twin), and says where it listens.
// Then it does what it is told to do until its input ends:
//
//   - serve: accept, then stop, and write the report
//   - hand: the same, with a child that has the socket, too, and hides it
//   - hide: keep the socket and show nobody that
//   - confined: like serve, and be killed for bpf(2)
func child(do []string) error {
	var ln net.Listener
	var err error
	if do[1] == "inherited" {
		f := os.NewFile(3, "listener")
		ln, err = net.FileListener(f)
		_ = f.Close()
	} else {
		var lc net.ListenConfig
		if do[1] == "filtered" {
			only = SYNFilter
			lc.SetMultipathTCP(false)
		}
		ln, err = lc.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	}
	if err == nil && do[0] == "confined" {
		err = confine()
	}
	if err != nil {
		return err
	}
	if do[0] == "hide" {
		// Then /proc/PID/fd belongs to root.
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
			return err
		}
		_, _ = os.Stdout.WriteString(ln.Addr().String() + "\n")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	if do[0] == "hand" {
		f, err := ln.(*net.TCPListener).File()
		if err != nil {
			return err
		}
		cmd, in, out, err := childCommand("hide inherited", f)
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return err
		}
		_ = f.Close()
		defer cmd.Wait()
		defer in.Close()
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			return err
		}
	}
	l := startLoop(ln, nil)
	_, _ = os.Stdout.WriteString(ln.Addr().String() + "\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
	close(l.stop)
	l.q.Open(time.Now().Add(bound/2), nil, true)
	<-l.ended
	r, err := l.q.Close()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func childCommand(do string, files ...*os.File) (cmd *exec.Cmd, in io.WriteCloser, out io.Reader, err error) {
	cmd = exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+do)
	cmd.ExtraFiles = files
	cmd.Stderr = os.Stderr
	if in, err = cmd.StdinPipe(); err != nil {
		return nil, nil, nil, err
	}
	out, err = cmd.StdoutPipe()
	return cmd, in, out, err
}

// kind is how a child is run.
type kind struct {
	name string
	attr syscall.SysProcAttr
}

var (
	nobody   = &syscall.Credential{Uid: 65534, Gid: 65534}
	namesake = kind{name: "of the same user"}
	another  = kind{"of another user", syscall.SysProcAttr{Credential: nobody}}

	// The /proc of these is that of the outer namespace.
	inside        = kind{"in a PID namespace", syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}}
	anotherInside = kind{"of another user in a PID namespace", syscall.SysProcAttr{Credential: nobody, Cloneflags: unix.CLONE_NEWPID}}
)

// stopChild runs a child until it accepts, has a connection served, and stops it.
func (k kind) stopChild(t *testing.T, do string, files ...*os.File) (r Report) {
	t.Helper()
	if os.Geteuid() != 0 && (k.attr.Credential != nil || k.attr.Cloneflags != 0) {
		t.Skip("takes root")
	}
	cmd, in, out, err := childCommand(do, files...)
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &k.attr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hang := time.AfterFunc(bound, func() { _ = cmd.Process.Kill() })
	defer hang.Stop()
	lines := bufio.NewReader(out)
	addr, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the child says %q: %v", addr, err)
	}
	c, err := net.Dial("tcp4", strings.TrimSpace(addr))
	if err == nil {
		_, err = c.Write([]byte{'?'})
	}
	if err == nil {
		err = hello(c)
		_ = c.Close()
	}
	if err != nil {
		t.Errorf("a connection ends in %v, want it served", err)
	}
	_ = in.Close()
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	if werr := cmd.Wait(); err != nil || werr != nil {
		t.Fatalf("the child says %q: %v, %v", line, err, werr)
	}
	return r
}

// A socket that was here when the process began may be open elsewhere, whatever
// /proc shows: in a process of another user, or outside of the PID namespace. It
// is as it was, after the stop.
func TestInheritedSocketGoesOnListening(t *testing.T) {
	for _, k := range []kind{namesake, another, inside, anotherInside} {
		t.Run(k.name, func(t *testing.T) {
			ln := listen(t)
			f, err := ln.File()
			if err != nil {
				t.Fatal(err)
			}
			r := k.stopChild(t, "serve inherited", f)
			_ = f.Close()
			if r.Strategy != Poll || !strings.Contains(r.Why, "passed to this process") || !r.Emptied {
				t.Errorf("%+v, want it polled, as others may have it", r)
			}
			wantAsNew(t, ln)
		})
	}
}

// wantAsNew wants a listening socket to accept, and to have nothing left on it.
func wantAsNew(t *testing.T, ln *net.TCPListener) {
	t.Helper()
	served := make(chan error, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			_ = c.Close()
		}
		served <- err
	}()
	c, err := net.DialTimeout("tcp4", ln.Addr().String(), 500*time.Millisecond) // half of a retry's second
	if err != nil {
		t.Errorf("after the stop a connection ends in %v", err)
		_ = ln.SetDeadline(expired)
	} else {
		_ = c.Close()
	}
	if err := <-served; err != nil {
		t.Errorf("after the stop Accept ends in %v", err)
	}
	_ = control(ln, func(fd int) error {
		if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT); err != nil || on != 0 {
			t.Errorf("SO_REUSEPORT is %d after the stop (%v)", on, err)
		}
		if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || on != 1 {
			t.Errorf("SO_ACCEPTCONN is %d after the stop (%v)", on, err)
		}
		return nil
	})
}

// A socket that another user has made is not ours alone, as it came from there.
func TestSocketOfAnotherUserIsShared(t *testing.T) {
	ln := listen(t)
	err := control(ln, func(fd int) error { return unix.Fchown(fd, 65534, -1) })
	if err != nil {
		t.Skip("takes root: ", err)
	}
	if r := startLoop(ln, nil).end(t); r.Strategy != Poll || !strings.Contains(r.Why, "another user") {
		t.Errorf("%+v, want it polled, because another user has made it", r)
	}
}

// In a PID namespace that shows the /proc of the outer one a process has other
// numbers than its own. It still finds itself there, and has a twin; and processes
// of other users that are older do not count.
func TestTwinInAPIDNamespace(t *testing.T) {
	for _, k := range []kind{namesake, another, inside, anotherInside} {
		t.Run(k.name, func(t *testing.T) {
			if r := k.stopChild(t, "serve own"); r.Strategy != Twin || !r.Emptied {
				t.Errorf("%+v, want a twin", r)
			}
		})
	}
}

// A child that does not show its descriptors may have inherited the socket.
func TestChildThatHidesItsDescriptors(t *testing.T) {
	for _, k := range []kind{another, anotherInside} {
		t.Run(k.name, func(t *testing.T) {
			r := k.stopChild(t, "hand own")
			if r.Strategy != Poll || !strings.Contains(r.Why, "does not show") {
				t.Errorf("%+v, want it polled, as a child may have the socket", r)
			}
		})
	}
}

// The look at the descriptors ends in the middle of a process that has many.
func TestLookForOthersIsBounded(t *testing.T) {
	defer func(d time.Duration) { scanTime = d }(scanTime)
	scanTime = time.Millisecond
	ln := listen(t)
	var fds []int
	defer func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}()
	for range 20_000 {
		fd, err := unix.Dup(2)
		if err != nil {
			break // the limit of open files
		}
		fds = append(fds, fd)
	}
	if len(fds) < 3000 {
		t.Skipf("only %d files may be open", len(fds))
	}
	began := time.Now()
	s := scan{end: time.Now().Add(scanTime)}
	if err := s.own(nil); err == nil {
		t.Errorf("%d descriptors were looked at in %v, want an end after %v", len(fds), time.Since(began), scanTime)
	}
	if r := startLoop(ln, nil).end(t); r.Strategy != Poll || !strings.Contains(r.Why, "too many open files") {
		t.Errorf("%+v, want it polled, because there are too many open files", r)
	}
}

// A second descriptor of the socket is found by its number and in /proc, and what is
// known for a connection is not asked for by number.
func TestSecondDescriptorOfThisProcess(t *testing.T) {
	defer func(n int) { fewNumbers = n }(fewNumbers)
	const high = 1000 // for a table that is nearly empty
	if err := unix.Dup3(2, high, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(high)
	for name, few := range map[string]int{"by number": 1 << 30, "in /proc": 0} {
		t.Run(name, func(t *testing.T) {
			fewNumbers = few
			ln := listen(t)
			if err := shared(ln, nil); err != nil {
				t.Errorf("one descriptor: %v", err)
			}
			f, err := ln.File()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := shared(ln, nil); err == nil || !strings.Contains(err.Error(), "a second time") {
				t.Errorf("two descriptors: %v", err)
			}
			if few == 0 {
				return
			}
			conns := func(known func(int)) {
				known(int(f.Fd()))
				known(1 << 30) // opened since
			}
			if err := shared(ln, conns); err != nil {
				t.Errorf("two descriptors, of which one is said to be a connection: %v", err)
			}
		})
	}
}

// What is above the last of the connections is listed, while that one is open, and
// what is below is asked for: a second descriptor is found in either place.
func TestSecondDescriptorBesideConnections(t *testing.T) {
	const low, conn, high = 800, 900, 1000
	if err := unix.Dup3(2, conn, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	ln := listen(t)
	var st unix.Stat_t
	if err := control(ln, func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		t.Fatal(err)
	}
	known := func(known func(int)) { known(conn) }
	wantListed := func(want bool) {
		t.Helper()
		if listed, err := (&scan{end: time.Now().Add(bound)}).list(conn); listed != want || err != nil {
			t.Errorf("listed from %d on: %t (%v), want %t", conn, listed, err, want)
		}
	}
	look := func() {
		t.Helper()
		if err := shared(ln, known); err != nil {
			t.Errorf("one descriptor: %v", err)
		}
		for _, number := range []int{low, high} {
			if err := control(ln, func(fd int) error { return unix.Dup3(fd, number, unix.O_CLOEXEC) }); err != nil {
				t.Fatal(err)
			}
			s := scan{end: time.Now().Add(bound), inode: st.Ino}
			err := s.own(known)
			_ = unix.Close(number)
			if s.seen != 2 || err != nil {
				t.Errorf("a second descriptor with the number %d: %d seen (%v), want 2", number, s.seen, err)
			}
		}
	}
	wantListed(true)
	look()
	_ = unix.Close(conn) // it has ended since
	wantListed(false)
	look()
}
