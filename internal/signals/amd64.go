package signals

import (
	"golang.org/x/arch/x86/x86asm"
)

// amd64 are the registers that Go hands integers and pointers over in, first to
// last (https://go.dev/s/regabi).
var amd64 = architecture{
	args:   []reg{0, 3, 1, 7, 6, 8, 9, 10, 11}, // AX BX CX DI SI R8 R9 R10 R11
	stack:  4,                                  // SP
	lost:   []reg{11},
	decode: decodeAMD64,
	calls:  callsAMD64,
}

// callsAMD64 finds where one of the targets may be called or jumped to. It looks at
// bytes and not at instructions, so it may find too many.
func callsAMD64(code []byte, addr uint64, targets map[uint64]bool) bool {
	for i := 0; i+5 <= len(code); i++ {
		if code[i] != 0xe8 && code[i] != 0xe9 {
			continue
		}
		rel := int32(uint32(code[i+1]) | uint32(code[i+2])<<8 | uint32(code[i+3])<<16 | uint32(code[i+4])<<24)
		if targets[addr+uint64(i)+5+uint64(int64(rel))] {
			return true
		}
	}
	return false
}

// decodeAMD64 is a function's instructions, nil if one of them is not known to
// the disassembler, as then those behind it are uncertain.
func decodeAMD64(code []byte, addr uint64) []instruction {
	var out []instruction
	for len(code) > 0 {
		in, err := x86asm.Decode(code, 64)
		if err != nil || in.Len == 0 {
			return nil
		}
		out = append(out, translateAMD64(in, addr))
		addr += uint64(in.Len)
		code = code[in.Len:]
	}
	return out
}

func translateAMD64(in x86asm.Inst, addr uint64) instruction {
	out := instruction{addr: addr, size: uint64(in.Len), falls: true}
	next := addr + uint64(in.Len)
	target := func() uint64 {
		if rel, ok := in.Args[0].(x86asm.Rel); ok {
			return next + uint64(int64(rel))
		}
		return 0
	}
	switch in.Op {
	case x86asm.CALL:
		out.call, out.calls = target(), true
		out.steps = []step{{effect: forget}, {effect: set, dst: vector + 30}, {effect: set, dst: vector + 31}}
		return out
	case x86asm.JMP:
		out.jump, out.falls = target(), false
		out.call = out.jump // it may be a call at the function's end
		return out
	case x86asm.RET, x86asm.UD2, x86asm.INT, x86asm.HLT:
		out.falls = false
		return out
	case x86asm.CMP, x86asm.TEST, x86asm.NOP, x86asm.PREFETCHNTA, x86asm.PREFETCHT0, x86asm.PREFETCHW:
		return out
	case x86asm.PUSH, x86asm.POP:
		d := int64(-8)
		if in.Op == x86asm.POP {
			d = 8
		}
		if r, ok := general(in.Args[0]); ok && in.Op == x86asm.PUSH {
			out.steps = []step{{effect: add, dst: 4, src: 4, n: d}, {effect: store, src: r, mem: place{base: 4}}}
		} else if ok {
			out.steps = []step{{effect: load, dst: r, mem: place{base: 4}}, {effect: add, dst: 4, src: 4, n: d}}
		} else {
			out.steps = []step{{effect: add, dst: 4, src: 4, n: d}}
		}
		return out
	}
	if _, ok := in.Args[0].(x86asm.Rel); ok { // a conditional jump
		out.jump = target()
		return out
	}
	out.steps = stepsAMD64(in, next)
	return out
}

// stepsAMD64 is what an instruction does to registers and memory.
func stepsAMD64(in x86asm.Inst, next uint64) []step {
	dst, dstOK := general(in.Args[0])
	src, srcOK := general(in.Args[1])
	imm, immOK := in.Args[1].(x86asm.Imm)
	switch in.Op {
	case x86asm.LEA:
		if m, ok := in.Args[1].(x86asm.Mem); ok && dstOK {
			p := placeAMD64(m, next)
			switch {
			case p.wild:
			case p.base == noReg:
				return []step{{effect: set, dst: dst, n: p.disp}}
			default:
				return []step{{effect: add, dst: dst, src: p.base, n: p.disp}}
			}
		}
	case x86asm.MOV:
		m0, to := in.Args[0].(x86asm.Mem)
		m1, from := in.Args[1].(x86asm.Mem)
		switch {
		case dstOK && immOK:
			return []step{{effect: set, dst: dst, n: int64(imm)}}
		case dstOK && srcOK && in.DataSize == 64:
			return []step{{effect: add, dst: dst, src: src}}
		case dstOK && from && in.DataSize == 64:
			return []step{{effect: load, dst: dst, mem: placeAMD64(m1, next)}}
		case to && srcOK && in.MemBytes == 8:
			return []step{{effect: store, src: src, mem: placeAMD64(m0, next)}}
		case to && immOK && in.MemBytes == 8 && imm == 0:
			return []step{{effect: store, src: zero, mem: placeAMD64(m0, next)}}
		}
	case x86asm.MOVUPS, x86asm.MOVAPS, x86asm.MOVDQU, x86asm.MOVDQA, x86asm.MOVUPD, x86asm.MOVAPD:
		m0, to := in.Args[0].(x86asm.Mem)
		m1, from := in.Args[1].(x86asm.Mem)
		switch {
		case to:
			if v, ok := vectorAMD64(in.Args[1]); ok {
				p := placeAMD64(m0, next)
				q := p
				q.disp += 8
				return []step{{effect: store, src: v, mem: p}, {effect: store, src: v + 1, mem: q}}
			}
		case from:
			if v, ok := vectorAMD64(in.Args[0]); ok {
				p := placeAMD64(m1, next)
				q := p
				q.disp += 8
				return []step{{effect: load, dst: v, mem: p}, {effect: load, dst: v + 1, mem: q}}
			}
		default:
			a, ok := vectorAMD64(in.Args[0])
			b, ok2 := vectorAMD64(in.Args[1])
			if ok && ok2 {
				return []step{{effect: add, dst: a, src: b}, {effect: add, dst: a + 1, src: b + 1}}
			}
		}
	case x86asm.ADD, x86asm.SUB:
		if dstOK && immOK && in.DataSize == 64 {
			n := int64(imm)
			if in.Op == x86asm.SUB {
				n = -n
			}
			return []step{{effect: add, dst: dst, src: dst, n: n}}
		}
	case x86asm.XOR:
		if dstOK && srcOK && dst == src {
			return []step{{effect: set, dst: dst}}
		}
	}
	return loseAMD64(in, next)
}

// loseAMD64 is for an instruction that is not followed: what it may write to is
// unknown.
func loseAMD64(in x86asm.Inst, next uint64) []step {
	var out []step
	switch in.Op {
	case x86asm.MOVSQ, x86asm.STOSQ, x86asm.MOVSB, x86asm.STOSB:
		return []step{{effect: lose, dst: 7}, {effect: lose, dst: 6}, {effect: lose, dst: 1},
			{effect: smear, mem: place{base: 4, wild: true}}}
	case x86asm.MUL, x86asm.DIV, x86asm.IDIV, x86asm.IMUL, x86asm.CQO, x86asm.CDQ, x86asm.CMPXCHG, x86asm.CPUID, x86asm.RDTSC:
		out = append(out, step{effect: lose, dst: 0}, step{effect: lose, dst: 2})
	case x86asm.XCHG, x86asm.XADD:
		if r, ok := general(in.Args[1]); ok {
			out = append(out, step{effect: lose, dst: r})
		}
	}
	switch a := in.Args[0].(type) {
	case x86asm.Reg:
		if r, ok := general(a); ok {
			out = append(out, step{effect: lose, dst: r})
		} else if v, ok := vectorAMD64(a); ok {
			out = append(out, step{effect: lose, dst: v}, step{effect: lose, dst: v + 1})
		}
	case x86asm.Mem:
		p := placeAMD64(a, next)
		q := p
		q.disp += 8
		out = append(out, step{effect: smear, mem: p}, step{effect: smear, mem: q})
	}
	return out
}

func placeAMD64(m x86asm.Mem, next uint64) place {
	p := place{base: noReg, disp: m.Disp}
	if m.Base == x86asm.RIP {
		p.disp += int64(next)
		return p
	}
	if r, ok := general(m.Base); ok {
		p.base = r
	}
	// What goes by a segment is the thread's own.
	p.wild = m.Index != 0 || m.Segment != 0
	if p.base == noReg && p.wild {
		p.base = zero
	}
	return p
}

// general is the number of a general register, whatever part of it is named.
func general(a x86asm.Arg) (reg, bool) {
	r, ok := a.(x86asm.Reg)
	if !ok {
		return noReg, false
	}
	for _, first := range []x86asm.Reg{x86asm.RAX, x86asm.EAX, x86asm.AX} {
		if r >= first && r < first+16 {
			return reg(r - first), true
		}
	}
	switch {
	case r >= x86asm.AL && r <= x86asm.BL:
		return reg(r - x86asm.AL), true
	case r >= x86asm.AH && r <= x86asm.BH:
		return reg(r - x86asm.AH), true
	case r >= x86asm.SPB && r <= x86asm.R15B:
		return reg(r-x86asm.SPB) + 4, true
	}
	return noReg, false
}

func vectorAMD64(a x86asm.Arg) (reg, bool) {
	r, ok := a.(x86asm.Reg)
	if !ok || r < x86asm.X0 || r > x86asm.X15 {
		return noReg, false
	}
	return vector + 2*reg(r-x86asm.X0), true
}
