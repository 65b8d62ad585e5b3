package link

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace at one end of a [Link].
type Namespace struct {
	// IPv4 and IPv6 are its addresses on the link.
	IPv4, IPv6 netip.Addr

	ns *os.File
}

// newNamespace makes a namespace. It lives as long as a process or a descriptor
// is in it (network_namespaces(7)).
func newNamespace(ip4, ip6 string) (*Namespace, error) {
	n := &Namespace{IPv4: netip.MustParseAddr(ip4), IPv6: netip.MustParseAddr(ip6)}
	err := onThread(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("cannot make a network namespace (root is needed): %w", err)
		}
		n.ns, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, n.ip("link", "set", "lo", "up")
}

// Do calls f on a thread that is in the namespace, and returns its error. The
// sockets that f makes stay in the namespace for good. A goroutine that f starts
// is not in it.
func (n *Namespace) Do(f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(n.ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("cannot enter the network namespace: %w", err)
		}
		return f()
	})
}

// Start starts a process in the namespace, as [exec.Cmd.Start] does. Do not set
// Pdeathsig: the thread that starts it ends.
func (n *Namespace) Start(cmd *exec.Cmd) error { return n.Do(cmd.Start) }

// Sysctl sets a parameter of the namespace, such as "net/ipv4/tcp_migrate_req".
func (n *Namespace) Sysctl(name, value string) error {
	return n.Do(func() error { return os.WriteFile("/proc/sys/"+name, []byte(value), 0o644) })
}

// ip runs ip(8) in the namespace.
func (n *Namespace) ip(args ...string) error {
	return n.Do(func() error {
		out, err := exec.Command("ip", args...).CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			return errors.New("ip is needed: apt-get install iproute2")
		}
		if err != nil {
			return fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
		return nil
	})
}

// onThread calls f on a thread of its own, which ends with it: a goroutine that
// ends while locked takes its thread along.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := errors.New("the function ended its goroutine")
		defer func() { done <- err }()
		err = f()
	}()
	return <-done
}
