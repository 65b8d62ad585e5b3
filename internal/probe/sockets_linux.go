package probe

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// stateListen is TCP_LISTEN of the kernel's include/net/tcp_states.h.
const stateListen = 0x0a

// listeners returns the addresses on which the processes of a group listen, by port.
func listeners(group int) ([]string, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, err
	}
	procs, err := fs.AllProcs()
	if err != nil {
		return nil, err
	}
	sockets := map[string]bool{}
	for _, p := range members(procs, group) {
		targets, err := p.FileDescriptorTargets()
		if err != nil {
			continue
		}
		for _, name := range targets {
			if inode, ok := strings.CutPrefix(name, "socket:["); ok {
				sockets[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	v4, err := fs.NetTCP()
	if err != nil {
		return nil, fmt.Errorf("looking for the service's address: %w", err)
	}
	v6, _ := fs.NetTCP6() // not there without IPv6
	byPort := map[uint64]string{}
	for _, s := range slices.Concat(v4, v6) {
		if s.St != stateListen || !sockets[strconv.FormatUint(s.Inode, 10)] {
			continue
		}
		host := s.LocalAddr.String()
		if s.LocalAddr.IsUnspecified() {
			host = "localhost"
			if s.LocalAddr.To4() != nil {
				host = "127.0.0.1"
			}
		}
		if byPort[s.LocalPort] == "" {
			byPort[s.LocalPort] = net.JoinHostPort(host, strconv.FormatUint(s.LocalPort, 10))
		}
	}
	var ports []uint64
	for port := range byPort {
		ports = append(ports, port)
	}
	slices.Sort(ports)
	var addrs []string
	for _, port := range ports {
		addrs = append(addrs, byPort[port])
	}
	return addrs, nil
}

// findTarget returns where the service listens: nil if nowhere yet.
func findTarget(pid int) (*target, error) {
	addrs, err := listeners(pid)
	switch {
	case err != nil:
		return nil, err
	case len(addrs) == 0:
		return nil, nil
	case len(addrs) > 1:
		return nil, errors.New("it listens on " + strings.Join(addrs, " and ") + ": say which one is to be loaded, such as -url http://" + addrs[0] + "/")
	}
	return &target{addr: addrs[0], host: addrs[0]}, nil
}

// members returns those of the processes that are in the group, and not dead.
func members(procs procfs.Procs, group int) (alive procfs.Procs) {
	for _, p := range procs {
		// One that cannot be read has ended meanwhile.
		if stat, err := p.Stat(); err == nil && stat.PGRP == group && stat.State != "Z" && stat.State != "X" {
			alive = append(alive, p)
		}
	}
	return alive
}

// groupLives reports whether there are processes in the group.
func groupLives(group int) bool {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return false
	}
	procs, err := fs.AllProcs()
	return err == nil && len(members(procs, group)) > 0
}
