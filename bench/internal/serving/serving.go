// Package serving is the frame of the servers that bench runs as processes: the
// same for each, so that they differ in the server alone.
//
// A server says on its first line of output where it listens. It takes commands,
// one a line, from its standard input, and answers each with a line of JSON:
//
//   - memory: a [Memory], after garbage collection
//   - cpu: the processor time of the process so far, in seconds
//   - stop: shuts down, answers with a [Stop], and ends
//
// When its input ends, it ends too, so no process outlives the one that started
// it.
package serving

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// grace is how long a shutdown may take.
const grace = 2 * time.Minute

// Memory is what a process uses.
type Memory struct {
	// Heap and Stacks are bytes in use by Go objects and goroutines' stacks.
	Heap, Stacks uint64
	// Resident is what the kernel has given to the process, in bytes; 0 where it
	// does not say.
	Resident uint64
}

// Stop is how a shutdown went.
type Stop struct {
	// Seconds from the command to the return of the shutdown.
	Seconds float64
	// CPUSeconds of the process in that time, in the kernel and outside.
	CPUSeconds float64
	// PeakResident is the most memory that the kernel had given to the process
	// in that time, in bytes; 0 where it does not say.
	PeakResident uint64
	// Error of the shutdown, empty if there was none.
	Error string
}

// Server is what a process serves with.
type Server interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
}

// Main runs a server until it is told to stop. newServer is called after the flags,
// to which it may have added its own, are parsed.
func Main(newServer func() (Server, error)) {
	addr := flag.String("addr", "127.0.0.1:0", "listen on `address`")
	flag.Parse()
	s, err := newServer()
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp4", *addr)
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	fmt.Println("listening on", ln.Addr())
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		switch command := strings.TrimSpace(commands.Text()); command {
		case "memory":
			answer(memory())
		case "cpu":
			answer(cpuTime().Seconds())
		case "stop":
			answer(stop(s))
			return
		default:
			log.Fatalf("unknown command %q", command)
		}
		select {
		case err := <-served:
			log.Fatal("the server ended: ", err)
		default:
		}
	}
}

func answer(v any) {
	line, err := json.Marshal(v)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", line)
}

func memory() Memory {
	// The second collection frees what the pools have dropped in the first.
	runtime.GC()
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Memory{Heap: m.HeapAlloc, Stacks: m.StackInuse, Resident: resident("VmRSS")}
}

func stop(s Server) Stop {
	resetPeak()
	cpu, begin := cpuTime(), time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := s.Shutdown(ctx)
	st := Stop{Seconds: time.Since(begin).Seconds(), CPUSeconds: (cpuTime() - cpu).Seconds(), PeakResident: resident("VmHWM")}
	if err != nil {
		st.Error = err.Error()
	}
	return st
}
