package process

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
	"time"
)

// A server that is alone sees no process but itself, and ends with the one that it was
// started by.
func TestAlone(t *testing.T) {
	alone := Alone()
	if alone == nil {
		t.Skip("takes Linux, unshare(1) and root")
	}
	cmd := exec.Command(alone[0], append(alone[1:], "sh", "-c", "echo /proc/[0-9]*; exec sleep 600")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hang := time.AfterFunc(bound, func() { _ = out.Close() })
	defer hang.Stop()
	in := bufio.NewReader(out)
	if line, err := in.ReadString('\n'); err != nil || line != "/proc/1\n" {
		t.Errorf("it sees %q (%v), want its own number only", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("its output ends in %v, want its end by that of its parent", err)
	}
	_ = cmd.Wait()
}
