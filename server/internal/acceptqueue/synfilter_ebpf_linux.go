package acceptqueue

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// filterGrace is how long after the time for the queue the filter ends. The
// listener is closed by then, also where its accept loop does not come back
// (deafGrace of the server, 200 ms).
const filterGrace = 500 * time.Millisecond

// filterSYNUntil does what filterSYN does, with a filter that ends by itself: from
// a moment on it passes everything. So it need not be taken off, neither before
// the socket is closed, when what gets in behind it is reset, nor by a process
// that is killed. Who has the socket after all, unseen, goes on when it has ended,
// and keeps a filter that does nothing.
//
// It takes CAP_BPF where unprivileged users have no bpf(2)
// (kernel.unprivileged_bpf_disabled), and Linux 5.8: programs whose licence is not
// the GPL may not ask for the time before (bpf_ktime_get_ns_proto in
// kernel/bpf/helpers.c).
func filterSYNUntil(sock socket, t time.Time) error {
	if err := mayCallBPF(); err != nil {
		return err
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	program, err := loadProgram(synProgramUntil(now.Nano() + time.Until(t).Nanoseconds()))
	if err != nil {
		return fmt.Errorf("bpf: %w", err)
	}
	defer unix.Close(program)
	err = control(sock, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ATTACH_BPF, program)
	})
	if err != nil {
		return fmt.Errorf("SO_ATTACH_BPF: %w", err)
	}
	return nil
}

// mayCallBPF says, with an error, that bpf(2) is better not called, or the
// program's clock would not be ours:
//
//   - A seccomp filter may kill a process for it, as systemd's SystemCallFilter
//     does by default with what it does not list, and @system-service does not
//     list bpf.
//   - In a time namespace (time_namespaces(7)) CLOCK_MONOTONIC is not the
//     kernel's. The number is that of the first one, in include/linux/proc_ns.h.
func mayCallBPF() error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	if bytes.Contains(status, []byte("\nSeccomp:")) && !bytes.Contains(status, []byte("\nSeccomp:\t0\n")) {
		return errors.New("a seccomp filter may kill for bpf(2)")
	}
	ns, err := os.Readlink("/proc/self/ns/time")
	switch {
	case errors.Is(err, fs.ErrNotExist): // before Linux 5.6
		return nil
	case err == nil && ns != "time:[4026531834]":
		return errors.New("the process is in a time namespace")
	}
	return err
}

// instruction is struct bpf_insn of include/uapi/linux/bpf.h.
type instruction struct {
	code      uint8
	registers uint8
	offset    int16
	immediate int32
}

// with sets the registers, of four bits each: the first of C's bit fields is in
// the lower ones on little-endian machines, and in the upper ones on others.
func (i instruction) with(dst, src uint8) instruction {
	i.registers = src<<4 | dst
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		i.registers = dst<<4 | src
	}
	return i
}

// synProgramUntil is a program that drops what begins a handshake until the
// kernel's monotonic clock, in nanoseconds, has come to end, and passes all else:
// see Documentation/bpf/standardization/instruction-set.rst. The time is asked for
// at a SYN only, as the connections inherit the program.
func synProgramUntil(end int64) []instruction {
	const (
		result, clock, context = 0, 1, 6 // the registers; that a packet is read from is fixed
		ktimeGetNS             = 5       // BPF_FUNC_ktime_get_ns
	)
	return []instruction{
		instruction{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_X}.with(context, 1),
		{code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, immediate: tcpFlags},
		instruction{code: unix.BPF_ALU64 | unix.BPF_AND | unix.BPF_K, immediate: finSYNRSTACK}.with(result, 0),
		instruction{code: unix.BPF_JMP | unix.BPF_JNE | unix.BPF_K, immediate: onlySYN, offset: 6}.with(result, 0),
		{code: unix.BPF_JMP | unix.BPF_CALL, immediate: ktimeGetNS},
		instruction{code: unix.BPF_LD | unix.BPF_DW | unix.BPF_IMM, immediate: int32(end)}.with(clock, 0), // #nosec G115
		{immediate: int32(end >> 32)}, // #nosec G115
		instruction{code: unix.BPF_JMP | unix.BPF_JSGE | unix.BPF_X, offset: 2}.with(result, clock),
		instruction{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K}.with(result, 0),
		{code: unix.BPF_JMP | unix.BPF_EXIT},
		instruction{code: unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K, immediate: wholePacket}.with(result, 0),
		{code: unix.BPF_JMP | unix.BPF_EXIT},
	}
}

// loadProgram loads a socket filter and returns its descriptor, which a program
// that is executed does not get.
func loadProgram(program []instruction) (int, error) {
	licence := []byte("MIT\x00")
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&program[0])
	pin.Pin(&licence[0])
	attr := struct {
		kind, length          uint32
		instructions, licence uint64
	}{
		unix.BPF_PROG_TYPE_SOCKET_FILTER, uint32(len(program)), // #nosec G115
		uint64(uintptr(unsafe.Pointer(&program[0]))), uint64(uintptr(unsafe.Pointer(&licence[0]))),
	}
	var fd uintptr
	errno := unix.EAGAIN // which it says if a signal comes meanwhile: libbpf tries as often
	for tries := 5; errno == unix.EAGAIN && tries > 0; tries-- {
		fd, _, errno = unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	}
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}
