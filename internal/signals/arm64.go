package signals

import "encoding/binary"

// arm64 hands integers and pointers over in R0 to R15; the stack pointer has
// number 31 where an instruction means it, which is the zero register elsewhere.
var arm64 = architecture{
	args:   []reg{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	stack:  stackARM64,
	lost:   []reg{25, 27, 30},
	decode: decodeARM64,
	calls:  callsARM64,
}

// stackARM64 is kept where the last vector would be, which Go does not use here.
const stackARM64 reg = registers - 1

func callsARM64(code []byte, addr uint64, targets map[uint64]bool) bool {
	for i := 0; i+4 <= len(code); i += 4 {
		w := binary.LittleEndian.Uint32(code[i:])
		if w>>26&0x1f == 0x05 && targets[addr+uint64(i)+uint64(signed(w, 0, 26)*4)] { // B and BL
			return true
		}
	}
	return false
}

// signed is a field of an instruction, extended by its sign.
func signed(w uint32, low, width uint) int64 {
	return int64(int32(w<<(32-low-width)) >> (32 - width))
}

func decodeARM64(code []byte, addr uint64) []instruction {
	var out []instruction
	for ; len(code) >= 4; code = code[4:] {
		out = append(out, translateARM64(binary.LittleEndian.Uint32(code), addr))
		addr += 4
	}
	return out
}

// sp is a register number where 31 means the stack pointer.
func sp(n uint32) reg {
	if n &= 31; n == 31 {
		return stackARM64
	}
	return reg(n)
}

// zr is one where 31 means zero.
func zr(n uint32) reg { return reg(n & 31) }

// translateARM64 knows branches, and the few instructions with which addresses
// are made and words are moved (Arm Architecture Reference Manual, C4.1). Of all
// others it takes the lowest five bits for the register that they write to.
func translateARM64(w uint32, addr uint64) instruction {
	out := instruction{addr: addr, size: 4, falls: true}
	to := func(low, width uint) uint64 { return addr + uint64(signed(w, low, width)*4) }
	switch {
	case w>>26 == 0x25: // BL
		out.call, out.calls = to(0, 26), true
		out.steps = []step{{effect: forget}}
	case w>>26 == 0x05: // B
		out.jump, out.falls = to(0, 26), false
		out.call = out.jump
	case w&0xfffffc1f == 0xd63f0000: // BLR
		out.calls = true
		out.steps = []step{{effect: forget}}
	case w&0xfffffc1f == 0xd61f0000, w&0xfffffc1f == 0xd65f0000, w>>21 == 0x6a1: // BR, RET, BRK
		out.falls = false
	case w>>24 == 0x54, w>>25&0x3f == 0x1a: // B.cond, CBZ, CBNZ
		out.jump = to(5, 19)
	case w>>25&0x3f == 0x1b: // TBZ, TBNZ
		out.jump = to(5, 14)
	default:
		out.steps = stepsARM64(w, addr)
	}
	return out
}

func stepsARM64(w uint32, addr uint64) []step {
	dst := w & 31
	base := sp(w >> 5)
	switch {
	case w>>24&0x9f == 0x90, w>>24&0x9f == 0x10: // ADRP, ADR
		n := signed(w, 5, 19)<<2 | int64(w>>29&3)
		if w>>31 == 1 {
			return []step{{effect: set, dst: zr(dst), n: int64(addr&^0xfff) + n<<12}}
		}
		return []step{{effect: set, dst: zr(dst), n: int64(addr) + n}}
	case w>>23 == 0x122, w>>23 == 0x1a2: // ADD, SUB of an immediate
		n := int64(w >> 10 & 0xfff)
		if w>>22&1 == 1 {
			n <<= 12
		}
		if w>>30&1 == 1 {
			n = -n
		}
		return []step{{effect: add, dst: sp(dst), src: base, n: n}}
	case w>>23 == 0x1a5, w>>23 == 0x0a5: // MOVZ
		return []step{{effect: set, dst: zr(dst), n: int64(w>>5&0xffff) << (16 * (w >> 21 & 3))}}
	case w&0xffe0ffe0 == 0xaa0003e0: // MOV of a register, which is ORR
		return []step{{effect: add, dst: zr(dst), src: zr(w >> 16)}}
	case w&0xfff8f81f == 0xb2400000 || w>>23 == 0x164 || w>>23 == 0x064:
		// ORR of an immediate: how small constants such as 1 and 3 are made.
		if n, ok := bitmask(w); ok && zr(w>>5) == zero {
			return []step{{effect: set, dst: sp(dst), n: n}}
		}
		return []step{{effect: lose, dst: sp(dst)}}
	}
	if s := memoryARM64(w); s != nil {
		return s
	}
	return []step{{effect: lose, dst: zr(dst)}}
}

// memoryARM64 is for loads and stores, nil if it is none.
func memoryARM64(w uint32) []step {
	base, disp := sp(w>>5), int64(0)
	rt, rt2 := w&31, w>>10&31
	isLoad := w>>22&1 == 1
	one := func(r reg, d int64) step {
		if isLoad {
			return step{effect: load, dst: r, mem: place{base: base, disp: d}}
		}
		return step{effect: store, src: r, mem: place{base: base, disp: d}}
	}
	// A quad register is two of ours.
	quad := func(r uint32, d int64) []step {
		v := vector + 2*reg(r)
		if v >= stackARM64-1 {
			v = noReg
		}
		if v == noReg && isLoad {
			return nil
		} else if v == noReg {
			return []step{{effect: smear, mem: place{base: base, disp: d}}, {effect: smear, mem: place{base: base, disp: d + 8}}}
		}
		return []step{one(v, d), one(v+1, d+8)}
	}
	indexed := func(steps []step, n int64) []step {
		return append(steps, step{effect: add, dst: base, src: base, n: n})
	}
	switch {
	case w>>22 == 0x3e4, w>>22 == 0x3e5: // STR, LDR of a word, offset
		disp = int64(w>>10&0xfff) * 8
		return []step{one(zr(rt), disp)}
	case w>>21 == 0x7c0, w>>21 == 0x7c2: // the same, offset not a multiple, or base written
		disp = signed(w, 12, 9)
		switch w >> 10 & 3 {
		case 0:
			return []step{one(zr(rt), disp)}
		case 1:
			return indexed([]step{one(zr(rt), 0)}, disp)
		case 3:
			s := one(zr(rt), 0)
			return []step{{effect: add, dst: base, src: base, n: disp}, s}
		}
		return []step{{effect: smear, mem: place{base: base, wild: true}}, {effect: lose, dst: zr(rt)}}
	case w>>25 == 0x54: // STP, LDP of words
		disp = signed(w, 15, 7) * 8
		a, b := one(zr(rt), disp), one(zr(rt2), disp+8)
		switch w >> 23 & 3 {
		case 1:
			return indexed([]step{one(zr(rt), 0), one(zr(rt2), 8)}, disp)
		case 3:
			return []step{{effect: add, dst: base, src: base, n: disp}, one(zr(rt), 0), one(zr(rt2), 8)}
		}
		if isLoad && zr(rt) == base {
			return []step{b, a}
		}
		return []step{a, b}
	case w>>25 == 0x56 && w>>23&3 == 2: // STP, LDP of quad registers, offset
		disp = signed(w, 15, 7) * 16
		return append(quad(rt, disp), quad(rt2, disp+16)...)
	case w>>22 == 0x0f6, w>>22 == 0x0f7: // STR, LDR of a quad register, offset
		return quad(rt, int64(w>>10&0xfff)*16)
	case w>>27&5 == 5 && w>>25&1 == 0, w>>27&5 == 4 && w>>25&1 == 0:
		// Any other load or store: narrower, or with an index. (Bits 27 and 25
		// are 1 and 0 for all of them.)
		out := []step{{effect: lose, dst: zr(rt)}}
		if !isLoad {
			out = append(out, step{effect: smear, mem: place{base: base, wild: true}})
		}
		return out
	}
	return nil
}

// bitmask is the constant of a logical instruction, where it is one run of ones
// in a word of 64 or 32 bits (DecodeBitMasks in the manual).
func bitmask(w uint32) (int64, bool) {
	n, immr, imms := w>>22&1, w>>16&63, w>>10&63
	size := uint32(64)
	switch {
	case n == 1 && w>>31 == 1:
	case n == 0 && imms < 32 && w>>31 == 0:
		size = 32
	default:
		return 0, false
	}
	ones := imms + 1
	if ones >= size {
		return 0, false
	}
	v := uint64(1)<<ones - 1
	if immr != 0 {
		v = v>>immr | v<<(size-immr)
		if size == 32 {
			v &= 1<<32 - 1
		}
	}
	return int64(v), true
}
