package process

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
)

// Forget has the kernel forget the connections in TIME_WAIT of a server that has ended, by
// its address. A stop that looks through the kernel's table of connections takes the
// longer for them, and no service stops time after time on one machine. It takes Linux,
// ss(8) and the right to destroy sockets.
func Forget(ctx context.Context, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "ss", "-KHtan", "state", "time-wait", "( sport = :"+port+" )")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ss -K: %w %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	if stderr.Len() > 0 {
		return fmt.Errorf("ss -K: %s", bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}
