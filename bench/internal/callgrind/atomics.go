package callgrind

import (
	"cmp"
	"debug/elf"
	"debug/gosym"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/arch/x86/x86asm"
)

// Site is an atomic read-modify-write in a binary.
type Site struct {
	// Function and Line are where it is in the source, inlined or not.
	Function string
	File     string
	Line     int
	// Instruction is it in Go's assembler.
	Instruction string
	// PerRequest is how often a request executes it.
	PerRequest float64
}

// String says where the instruction is and how often it runs.
func (s Site) String() string {
	return fmt.Sprintf("%.3f %s in %s (%s:%d)", s.PerRequest, s.Instruction, s.Function, s.File, s.Line)
}

// errArch says that the binary's machine code is not understood here.
var errArch = errors.New("atomic instructions are counted on amd64 only")

// sites finds the atomic read-modify-writes among executed instructions: those
// with a LOCK prefix, and XCHG with memory, which locks without one. Those of the
// runtime's own are left out: its locks are taken by timers and the scheduler,
// which do not fall on the same request in every run.
func sites(binary string, executions map[uint64]float64) ([]Site, error) {
	f, err := elf.Open(binary)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Machine != elf.EM_X86_64 {
		return nil, errArch
	}
	text := f.Section(".text")
	if text == nil {
		return nil, fmt.Errorf("%s has no .text", binary)
	}
	code, err := text.Data()
	if err != nil {
		return nil, err
	}
	var lines *gosym.Table
	if pcln := f.Section(".gopclntab"); pcln != nil {
		if data, err := pcln.Data(); err == nil {
			lines, _ = gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
		}
	}
	var found []Site
	for at, n := range executions {
		if at < text.Addr || at >= text.Addr+text.Size {
			continue
		}
		inst, err := x86asm.Decode(code[at-text.Addr:], 64)
		if err != nil || !atomic(inst) {
			continue
		}
		s := Site{PerRequest: n, Instruction: x86asm.GoSyntax(inst, at, nil), Function: fmt.Sprintf("%#x", at)}
		if lines != nil {
			file, line, fn := lines.PCToLine(at)
			s.File, s.Line = file, line
			if fn != nil {
				s.Function = fn.Name
			}
		}
		if !strings.HasPrefix(s.Function, "runtime.") {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b Site) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Instruction, b.Instruction))
	})
	return found, nil
}

func atomic(inst x86asm.Inst) bool {
	for _, prefix := range inst.Prefix {
		if prefix&0xff == x86asm.PrefixLOCK && prefix&x86asm.PrefixIgnored == 0 && prefix != 0 {
			return true
		}
	}
	if inst.Op != x86asm.XCHG {
		return false
	}
	for _, arg := range inst.Args {
		if _, ok := arg.(x86asm.Mem); ok {
			return true
		}
	}
	return false
}
