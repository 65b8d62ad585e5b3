package signals

import (
	"debug/gosym"
	"slices"
	"strings"
	"syscall"
)

// Ask is a place where a program asks for signals.
type Ask struct {
	// Func is the function that the call is in, as the run-time names it:
	// "main.main.func1".
	Func string
	// Signals are the numbers, in the order of the call.
	Signals []syscall.Signal
	// All says that it names none and so asks for all of them.
	All bool
	// Unknown says that there are more, or others, which the binary does not
	// tell.
	Unknown bool
}

// Has says whether the signal is asked for there.
func (a Ask) Has(sig syscall.Signal) bool { return a.All || slices.Contains(a.Signals, sig) }

// Asked is what a program asks for.
type Asked struct {
	// Linked says that the program holds signal.Notify. If it does not, it asks
	// for nothing.
	Linked bool
	// Asks are the calls that were found, by address. A wrapper that is given
	// the signals is followed to its callers, and these are named.
	Asks []Ask
	// Unread says why the calls could not be looked at, empty if they were.
	Unread string
	// Functions says which of the names given to [Find] the program holds.
	Functions map[string]bool
}

// Has says whether the signal is certainly asked for.
func (a *Asked) Has(sig syscall.Signal) bool {
	return slices.ContainsFunc(a.Asks, func(k Ask) bool { return k.Has(sig) })
}

// Certain says that nothing else is asked for than what the Asks say.
func (a *Asked) Certain() bool {
	if !a.Linked {
		return true
	}
	return a.Unread == "" && len(a.Asks) > 0 &&
		!slices.ContainsFunc(a.Asks, func(k Ask) bool { return k.Unknown })
}

// architecture is what is known of a processor.
type architecture struct {
	args   []reg // the registers of the arguments
	stack  reg   // the stack pointer
	lost   []reg // what the write barrier does not keep (runtime.gcWriteBarrier)
	decode func(code []byte, addr uint64) []instruction
	calls  func(code []byte, addr uint64, targets map[uint64]bool) bool
}

var architectures = map[string]architecture{"amd64": amd64, "arm64": arm64}

// The functions of package os/signal that ask for signals, and which argument
// word their slice of signals begins at.
var notifiers = map[string]int{
	"os/signal.Notify":        1, // after a channel
	"os/signal.NotifyContext": 2, // after an interface
}

// maxDepth is how far wrappers are followed to their callers.
const maxDepth = 6

// maxSignals bounds the slice that is read: there are no more signals.
const maxSignals = 65

// Find reads which signals a binary asks for, and which of the named functions
// it holds. It is an error if the file is no binary of 64 bits that is
// understood, or if its table of functions was not found.
func Find(file string, names ...string) (*Asked, error) {
	im, err := open(file)
	if err != nil {
		return nil, err
	}
	a := &Asked{Functions: map[string]bool{}}
	if im.arch == "" {
		a.Unread = "its processor is not known to this command"
	}
	switch err := im.readFunctions(); {
	case err != nil && im.arch == "":
		a.Linked = true // or not: nothing is known
		return a, nil
	case err != nil:
		return nil, err
	}
	for _, name := range names {
		a.Functions[name] = im.named(name) != nil
	}
	f := finder{im: im, arch: architectures[im.arch], sinks: map[uint64]int{}, depth: map[uint64]int{}}
	for name, at := range notifiers {
		if fn := im.named(name); fn != nil {
			f.sinks[fn.Entry] = at
			f.work = append(f.work, fn.Entry)
			a.Linked = true
		}
	}
	if a.Linked && im.arch != "" {
		a.Asks = f.asks()
	}
	return a, nil
}

// finder looks for the callers of functions that are handed signals.
type finder struct {
	im   *image
	arch architecture
	// sinks are these functions, and the argument word that their slice begins
	// at; depth is how many wrappers are below one.
	sinks map[uint64]int
	depth map[uint64]int
	work  []uint64
}

func (f *finder) asks() []Ask {
	found := map[uint64]Ask{}
	for len(f.work) > 0 {
		targets := map[uint64]bool{}
		for _, entry := range f.work {
			targets[entry] = true
		}
		f.work = nil
		f.values(targets, found)
		for i := range f.im.funcs {
			fn := &f.im.funcs[i]
			if strings.HasPrefix(fn.Name, "os/signal.") { // NotifyContext itself
				continue
			}
			if code := f.im.code(fn); f.arch.calls(code, fn.Entry, targets) {
				f.caller(fn, code, targets, found)
			}
		}
	}
	addrs := make([]uint64, 0, len(found))
	for addr := range found {
		addrs = append(addrs, addr)
	}
	slices.Sort(addrs)
	var asks []Ask
	for _, addr := range addrs {
		asks = append(asks, found[addr])
	}
	return asks
}

// values finds which of the functions are used as values, or by an interface: who
// calls them is not to be seen.
func (f *finder) values(targets map[uint64]bool, found map[uint64]Ask) {
	for entry := range f.im.pointed(targets) {
		if fn := f.im.at(entry); fn != nil {
			found[entry] = Ask{Func: fn.Name, Unknown: true}
		}
	}
}

// caller reads the calls in one function.
func (f *finder) caller(fn *gosym.Func, code []byte, targets map[uint64]bool, found map[uint64]Ask) {
	m := &machine{im: f.im, stack: f.arch.stack, result: f.arch.args[0], lost: f.arch.lost,
		barrier: func(entry uint64) bool { return f.im.within(entry, "runtime.gcWriteBarrier") },
		copies:  func(entry uint64) bool { return f.im.within(entry, "runtime.duff") }}
	decoded := f.arch.decode(code, fn.Entry)
	states := m.follow(decoded, targets)
	if decoded == nil || states == nil && len(decoded) > 0 {
		found[fn.Entry] = Ask{Func: fn.Name, Unknown: true}
		return
	}
	for _, in := range decoded {
		s := states[in.addr]
		if s == nil {
			continue
		}
		at := f.sinks[in.call]
		list, count := s.regs[f.arch.args[at]], s.regs[f.arch.args[at+1]]
		if i, ok := f.passedOn(list, count); ok && f.depth[in.call] < maxDepth {
			// The function's own arguments: its callers know.
			if _, known := f.sinks[fn.Entry]; !known {
				f.sinks[fn.Entry] = i
				f.depth[fn.Entry] = f.depth[in.call] + 1
				f.work = append(f.work, fn.Entry)
			}
			continue
		}
		found[in.addr] = m.ask(s, fn.Name, list, count)
	}
}

// passedOn says whether a slice is one of the function's own arguments, and at
// which word it begins.
func (f *finder) passedOn(list, count value) (int, bool) {
	if list.kind != param || count.kind != param {
		return 0, false
	}
	i := slices.Index(f.arch.args, reg(list.n))
	return i, i >= 0 && i+1 < len(f.arch.args) && f.arch.args[i+1] == reg(count.n)
}

// ask reads a slice of signals: interfaces of two words, the second of which
// points to a number.
func (m *machine) ask(s *state, name string, list, count value) Ask {
	a := Ask{Func: name}
	switch {
	case count.kind != number || count.n < 0 || count.n > maxSignals:
		a.Unknown = true
		return a
	case count.n == 0:
		a.All = true
		return a
	}
	for i := range count.n {
		table := m.word(s, list.plus(16*i))
		data := m.word(s, list.plus(16*i+8))
		if table.kind != number || table.n == 0 || data.kind != number {
			a.Unknown = true
			continue
		}
		n, ok := m.im.word(uint64(data.n))
		if !ok || n == 0 || n >= maxSignals {
			a.Unknown = true
			continue
		}
		a.Signals = append(a.Signals, syscall.Signal(n))
	}
	return a
}
