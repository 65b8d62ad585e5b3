package fasthttp

import (
	"os"
	"strings"
	"testing"
)

// A process that hands its listener on as os/exec does has a descriptor that
// blocks: no deadline wakes its Accept, and no Close.
func TestShutdownWakesABlockingAccept(t *testing.T) {
	for _, network := range []string{"tcp", "tls"} {
		t.Run(network, func(t *testing.T) {
			ln := newDrainListener(t, drainKind{net: network})
			r := startDrainRigOn(t, drainKind{net: network}, &Server{}, ln)
			filer, ok := deadlinerOf(ln).(interface{ File() (*os.File, error) })
			if !ok {
				t.Fatalf("%T has no File", ln)
			}
			f, err := filer.File()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			_ = f.Fd() // what os/exec does
			r.dialIdle()
			r.awaitTrue("Accept blocks in the kernel", func() bool {
				for _, stack := range goroutinesOfServer() {
					if strings.Contains(stack, "[syscall") && strings.Contains(stack, "TCPListener).Accept") {
						return true
					}
				}
				return false
			})
			r.stop().wantNil()
		})
	}
}
