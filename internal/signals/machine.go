package signals

import "maps"

// kind is what is known of a value.
type kind uint8

const (
	unknown kind = iota
	number       // n, an address among them
	frame        // the stack pointer at the function's entry, plus n
	object       // what the call at address id has returned, plus n
	param        // what register n held at the entry
)

type value struct {
	kind kind
	id   uint64
	n    int64
}

func (v value) plus(n int64) value {
	switch v.kind {
	case number, frame, object:
		v.n += n
		return v
	}
	if n == 0 {
		return v
	}
	return value{}
}

// reg is a register of 64 bits. A vector register is two of them.
type reg int

const (
	noReg  reg = -1
	zero   reg = 31 // reads as zero
	vector reg = 32 // the lower half of the first vector register
	// registers is how many there are: 32 general ones and 32 vectors.
	registers = 96
)

// place is an operand in memory: base plus disp, or disp alone where base is
// noReg. Where wild is set an unknown index is added.
type place struct {
	base reg
	disp int64
	wild bool
}

// what a step does.
type effect uint8

const (
	lose   effect = iota // dst becomes unknown
	set                  // dst = n
	add                  // dst = src + n
	load                 // dst = the word at mem
	store                // the word at mem = src
	smear                // the word at mem becomes unknown
	forget               // all registers but the stack pointer become unknown
)

// step is a part of an instruction.
type step struct {
	effect   effect
	dst, src reg
	n        int64
	mem      place
}

// instruction is one of a function. Where it goes on is told by falls and jump.
type instruction struct {
	addr  uint64
	size  uint64
	steps []step
	call  uint64 // the function that is called, 0 if none or unknown
	calls bool   // it is a call
	jump  uint64 // the target of a jump, 0 if none
	falls bool   // the next one may follow
}

// state is what is known before an instruction.
type state struct {
	regs   [registers]value
	memory map[value]value
}

func (s *state) clone() *state {
	c := &state{regs: s.regs, memory: maps.Clone(s.memory)}
	return c
}

// meet keeps what both know, and says whether s has changed.
func (s *state) meet(other *state) bool {
	changed := false
	for i := range s.regs {
		if s.regs[i] != other.regs[i] && s.regs[i] != (value{}) {
			s.regs[i] = value{}
			changed = true
		}
	}
	for at, v := range s.memory {
		if w, ok := other.memory[at]; !ok || w != v {
			delete(s.memory, at)
			changed = true
		}
	}
	return changed
}

// machine follows the values in one function.
type machine struct {
	im *image
	// stack is the register of the stack pointer, result that of a call's first
	// result.
	stack, result reg
	// barrier says of a function that it is the write barrier, which leaves all
	// registers alone but for the lost ones; copies, that it copies or clears
	// memory and leaves none.
	barrier, copies func(entry uint64) bool
	lost            []reg
}

func (m *machine) read(s *state, r reg) value {
	switch {
	case r == noReg:
		return value{}
	case r == zero:
		return value{kind: number}
	}
	return s.regs[r]
}

func (m *machine) at(s *state, p place) value {
	if p.wild {
		return value{}
	}
	if p.base == noReg {
		return value{kind: number, n: p.disp}
	}
	return m.read(s, p.base).plus(p.disp)
}

// word is the word in memory that v is the address of. Of the program's
// variables it is what they are at its start.
func (m *machine) word(s *state, v value) value {
	if w, ok := s.memory[v]; ok {
		return w
	}
	if v.kind == number {
		if w, ok := m.im.word(uint64(v.n)); ok {
			return value{kind: number, n: int64(w)}
		}
	}
	return value{}
}

func (m *machine) run(s *state, in *instruction) {
	switch {
	case in.calls && m.barrier(in.call):
		for _, r := range m.lost {
			s.regs[r] = value{}
		}
		return
	case in.calls && m.copies(in.call):
		clear(s.memory)
	}
	for _, st := range in.steps {
		v := value{}
		switch st.effect {
		case set:
			v = value{kind: number, n: st.n}
		case add:
			v = m.read(s, st.src).plus(st.n)
		case load:
			v = m.word(s, m.at(s, st.mem))
		case store, smear:
			m.write(s, st)
			continue
		case forget:
			sp := s.regs[m.stack]
			clear(s.regs[:])
			s.regs[m.stack] = sp
			continue
		}
		if st.dst >= 0 && st.dst != zero {
			s.regs[st.dst] = v
		}
	}
	if in.calls {
		s.regs[m.result] = value{kind: object, id: in.addr}
	}
}

func (m *machine) write(s *state, st step) {
	to := m.at(s, st.mem)
	switch {
	case to.kind == frame || to.kind == object || to.kind == number:
		delete(s.memory, to)
		for d := int64(-7); d < 8; d++ { // what overlaps
			if d != 0 {
				delete(s.memory, to.plus(d))
			}
		}
		if v := m.read(s, st.src); st.effect == store && v.kind != unknown {
			s.memory[to] = v
		}
	case st.mem.wild && m.read(s, st.mem.base).kind != unknown:
		// Somewhere in what the base points to.
		base := m.read(s, st.mem.base)
		for at := range s.memory {
			if at.kind == base.kind && at.id == base.id {
				delete(s.memory, at)
			}
		}
	}
}

// follow gives the state before each call of one of the targets, by the address
// of the call. Where ways meet, only what all of them agree on is known.
func (m *machine) follow(code []instruction, targets map[uint64]bool) map[uint64]*state {
	if len(code) == 0 {
		return nil
	}
	index := map[uint64]int{}
	leader := map[int]bool{0: true}
	for i, in := range code {
		index[in.addr] = i
	}
	for i, in := range code {
		if in.jump != 0 {
			if j, ok := index[in.jump]; ok {
				leader[j] = true
			}
			leader[i+1] = true
		}
	}
	entry := &state{memory: map[value]value{}}
	for i := range entry.regs {
		entry.regs[i] = value{kind: param, n: int64(i)}
	}
	entry.regs[m.stack] = value{kind: frame}
	before := map[int]*state{0: entry}
	found := map[uint64]*state{}
	work := []int{0}
	reach := func(i int, s *state) {
		switch have := before[i]; {
		case i >= len(code):
		case have == nil:
			before[i] = s.clone()
			work = append(work, i)
		case have.meet(s):
			work = append(work, i)
		}
	}
	// Each meeting makes a state smaller, so this ends; the bound is for code
	// that is none.
	for rounds := 0; len(work) > 0 && rounds < 100*len(code)+1000; rounds++ {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		s := before[i].clone()
		for ; i < len(code); i++ {
			in := &code[i]
			if in.call != 0 && targets[in.call] {
				found[in.addr] = s.clone()
			}
			m.run(s, in)
			if in.jump != 0 {
				if j, ok := index[in.jump]; ok {
					reach(j, s)
				}
			}
			if !in.falls {
				break
			}
			if leader[i+1] {
				reach(i+1, s)
				break
			}
		}
	}
	if len(work) > 0 {
		return nil
	}
	return found
}
