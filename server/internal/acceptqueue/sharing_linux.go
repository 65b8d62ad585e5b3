package acceptqueue

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// scanTime bounds the look for others that have a socket open. That takes 2 us for
// a descriptor of this process, and 5 us for one of another; the accept loops wait
// for it.
var scanTime = 500 * time.Millisecond

// inherited are the inodes of the sockets that were in the descriptors of this
// process when it began, by fork or exec: whoever had them before may have them
// still, also where /proc does not show it.
var inherited, errInherited = inheritedSockets()

// inheritedSockets is run when the package is initialized. It takes about
// 0.1 ms.
func inheritedSockets() (map[uint64]bool, error) {
	found := map[uint64]bool{}
	err := eachName("/proc/self/fd", func(_ int, name string) error {
		if st, ok := ownSocket(name); ok {
			found[st.Ino] = true
		}
		return nil
	})
	return found, err
}

// shared says, with an error, that somebody else has the socket open or may have:
// a process that it was inherited from or handed to, as with prefork, systemd's
// socket activation or a restart that passes descriptors on. Then closing it
// resets nothing, the others go on accepting, and whatever else is done to the
// socket would be done to them.
//
// The kernel tells nobody how many have a socket open. So it counts as shared if
// it was here when the process began, or if another user made it; and this looks
// for its inode under /proc (proc_pid_fd(5)). Where a process does not show its
// descriptors, it may have the socket if it has it from here: see offspring. Who
// was sent the socket over a Unix socket (SCM_RIGHTS) and does not show it is not
// found.
func shared(sock socket, conns Descriptors) error {
	var st unix.Stat_t
	err := control(sock, func(fd int) error { return unix.Fstat(fd, &st) })
	switch {
	case err != nil:
		return err
	case errInherited != nil:
		return fmt.Errorf("what the process has inherited is not known: %w", errInherited)
	case inherited[st.Ino]:
		return errors.New("the socket was passed to this process, so others may have it, too")
	case int(st.Uid) != os.Geteuid():
		return errors.New("another user has made the socket, and may have it, too")
	}
	// In a PID namespace that is not the one of /proc the numbers are others.
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return err
	}
	own, err := statOf(self)
	if err != nil {
		return err
	}
	s := scan{inode: st.Ino, link: fmt.Sprintf("socket:[%d]", st.Ino), end: time.Now().Add(scanTime)}
	if err := s.own(conns); err != nil {
		return err
	}
	if s.seen != 1 {
		return errTwice(s.seen)
	}
	return eachName("/proc", func(_ int, pid string) error {
		if pid[0] < '0' || pid[0] > '9' || pid == self {
			return nil
		}
		err := s.other(pid)
		switch {
		case s.seen > 1:
			return errTwice(s.seen)
		case !errors.Is(err, os.ErrPermission):
			return err
		case own.offspring(self, pid):
			return fmt.Errorf("process %s does not show whether it has the socket", pid)
		}
		return s.inTime(0)
	})
}

func errTwice(seen int) error {
	if seen == 0 {
		return errors.New("/proc does not show the socket")
	}
	return errors.New("the socket is open a second time, here or in another process")
}

// scan counts the descriptors that are a socket.
type scan struct {
	inode uint64
	link  string // what /proc says that such a descriptor is
	end   time.Time
	seen  int
}

// fewNumbers is the size of a table of descriptors up to which each number is asked for,
// however few are open.
var fewNumbers = 1024

// own counts this process's. Few are listening sockets: to ask the kernel that of a
// number takes a fifth of the time that /proc takes to list what is open. That of a
// connection needs no question: if it becomes another meanwhile, so may one that has been
// asked for. Nor does what is not open above the last of them: a third of a table may be.
func (s *scan) own(conns Descriptors) error {
	size, open := numbers()
	few, top := max(fewNumbers, 4*open), -1
	conn := make([]bool, size)
	if conns != nil {
		conns(func(fd int) {
			if fd < size {
				conn[fd], top = true, max(top, fd)
			}
		})
	}
	listed := false
	if top > 0 && top < few {
		var err error
		if listed, err = s.list(top); err != nil {
			return err
		}
	}
	switch {
	case listed:
		size = top
	case size == 0 || size > few:
		_, err := s.list(0)
		return err
	}
	for fd := range size {
		if !conn[fd] {
			s.count(fd)
		}
		if err := s.inTime(fd); err != nil {
			return err
		}
	}
	return nil
}

// list counts this process's above a number that is open, or all for 0. The place in that
// directory of /proc is the number, and two more for dots (proc_readfd_common in
// fs/proc/fd.c), so the one that is open comes first. Where it does not, listed is false
// and nothing has been counted.
func (s *scan) list(above int) (listed bool, err error) {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return false, err
	}
	defer dir.Close()
	if above > 0 {
		if _, err := dir.Seek(int64(above)+2, io.SeekStart); err != nil {
			return false, nil //nolint:nilerr // the numbers can be asked for
		}
	}
	err = eachNameOf(dir, func(i int, name string) error {
		fd, err := strconv.Atoi(name)
		switch {
		case i == 0 && above > 0:
			if listed = fd == above; !listed {
				return io.EOF
			}
		case err == nil:
			s.count(fd)
		}
		return s.inTime(i)
	})
	if err == io.EOF {
		err = nil
	}
	return listed, err
}

// count counts a descriptor of this process.
func (s *scan) count(fd int) {
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || listens == 0 {
		return
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Ino == s.inode {
		s.seen++
	}
}

// numbers is how many descriptors this process has room for (FDSize, see
// proc_pid_status(5)): all that are open have lower numbers. It does not shrink. open is
// how many that is, since Linux 6.2 (proc_pid_fd(5)). What is not known is 0.
func numbers() (size, open int) {
	status, _ := os.ReadFile("/proc/self/status")
	_, field, _ := bytes.Cut(status, []byte("\nFDSize:"))
	field, _, _ = bytes.Cut(field, []byte{'\n'})
	size, _ = strconv.Atoi(string(bytes.TrimSpace(field)))
	if dir, err := os.Stat("/proc/self/fd"); err == nil {
		open = int(dir.Size())
	}
	return size, open
}

// other counts those of another process, if it is there still.
func (s *scan) other(pid string) error {
	dir, err := os.Open("/proc/" + pid + "/fd")
	if err == nil {
		defer dir.Close()
		var link [64]byte
		err = eachNameOf(dir, func(i int, name string) error {
			n, err := unix.Readlinkat(int(dir.Fd()), name, link[:])
			if err == nil && string(link[:n]) == s.link {
				s.seen++
			}
			return s.inTime(i)
		})
	}
	if isGone(err) {
		return nil
	}
	return err
}

// inTime looks at the time once in a while; i counts.
func (s *scan) inTime(i int) error {
	if i%64 == 0 && time.Now().After(s.end) {
		return errors.New("there are too many open files to know whether another process has the socket")
	}
	return nil
}

// ownSocket says whether the descriptor with this number is a socket.
func ownSocket(number string) (st unix.Stat_t, ok bool) {
	fd, err := strconv.Atoi(number)
	ok = err == nil && unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK
	return st, ok
}

// offspring says whether a process may have been forked from this one, and with it
// a socket that it does not show: it, or one of those above it, is a child of this
// one, or is in this one's session and has lost its parent, which is the session's
// as a rule. A process that is older than this one has nothing from it.
func (own processStat) offspring(self, pid string) bool {
	p, err := statOf(pid)
	if isGone(err) || err == nil && (p.started < own.started || p.state == "Z") {
		return false
	}
	for range 1000 {
		switch {
		case err != nil || p.parent == self:
			return true
		case p.parent == "0" || p.parent == "1":
			return p.session == own.session
		}
		var parent processStat
		if parent, err = statOf(p.parent); isGone(err) {
			return p.session == own.session
		}
		if err == nil && parent.started < own.started {
			return p.session == own.session && parent.session != own.session
		}
		p = parent
	}
	return true
}

// isGone says whether a process has ended that was asked for.
func isGone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH)
}

// processStat is what /proc/PID/stat says, which everybody may read: see
// proc_pid_stat(5).
type processStat struct {
	state, parent, session string
	started                uint64 // in ticks since the boot
}

func statOf(pid string) (s processStat, err error) {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return s, err
	}
	// The second field is the name, in brackets, which may hold anything.
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	const state, parent, session, started = 3 - 3, 4 - 3, 6 - 3, 22 - 3
	if len(f) <= started {
		return s, fmt.Errorf("/proc/%s/stat: %q", pid, b)
	}
	s.state, s.parent, s.session = string(f[state]), string(f[parent]), string(f[session])
	s.started, err = strconv.ParseUint(string(f[started]), 10, 64)
	return s, err
}

// eachName calls f for the names in a directory, in no order, and with how many
// came before, until it has an error.
func eachName(dir string, f func(i int, name string) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return eachNameOf(d, f)
}

func eachNameOf(dir *os.File, f func(i int, name string) error) error {
	for i := 0; ; {
		names, err := dir.Readdirnames(256)
		for _, name := range names {
			if err := f(i, name); err != nil {
				return err
			}
			i++
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
