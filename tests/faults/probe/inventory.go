package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/goleak"
)

// inventory is what the process has before a fault.
type inventory struct {
	goroutines goleak.Option
	fds        map[string]bool
}

// takeInventory first makes the runtime open what it keeps for good: its epoll
// descriptors.
func takeInventory() inventory {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
	}
	_ = ln.Close()
	return inventory{goleak.IgnoreCurrent(), descriptors()}
}

// descriptors are the open files of the process: number and target of each link
// in /proc/self/fd, see proc_pid_fd(5).
func descriptors() map[string]bool {
	found := map[string]bool{}
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(links) == 0 {
		fail("cannot list /proc/self/fd: %v", err)
	}
	for _, link := range links {
		// The one that the listing itself had open is gone by now.
		if target, err := os.Readlink(link); err == nil {
			found[filepath.Base(link)+" "+target] = true
		}
	}
	return found
}

// left says what is there that was not before, after as long as it may take to
// go away.
func (before inventory) left() []string {
	for end := time.Now().Add(bound); ; time.Sleep(10 * time.Millisecond) {
		var left []string
		// fasthttp keeps the date of its responses by a goroutine that never ends.
		if err := goleak.Find(before.goroutines, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1")); err != nil {
			left = append(left, "goroutines are left: "+err.Error())
		}
		var fds []string
		for fd := range descriptors() {
			if !before.fds[fd] {
				fds = append(fds, fd)
			}
		}
		if len(fds) > 0 {
			left = append(left, fmt.Sprintf("file descriptors are left: %s", strings.Join(fds, ", ")))
		}
		if len(left) == 0 || time.Now().After(end) {
			return left
		}
	}
}
