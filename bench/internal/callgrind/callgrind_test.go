package callgrind

import (
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

const output = `# callgrind format
version: 1
positions: instr line
events: Ir
summary: 160

ob=/tmp/other
fn=elsewhere
0x10 1 7

ob=/tmp/program
fn=caller
0x1000 10 5
0x1004 11 5
calls=5 0x2000 20
0x1004 11 100
fn=callee
0x2000 20 50
0x2004 21 50
fn=caller'2
0x1000 10 3
`

func TestParseCountsSelfCostsOfTheBinary(t *testing.T) {
	p, err := parse(strings.NewReader(output), "bin/program")
	if err != nil {
		t.Fatal(err)
	}
	if p.total != 120 {
		t.Errorf("total %d, want 120: what a call costs is counted in the callee", p.total)
	}
	for at, want := range map[uint64]uint64{0x1000: 8, 0x1004: 5, 0x2000: 50, 0x2004: 50, 0x10: 0} {
		if got := p.at[at]; got != want {
			t.Errorf("instruction %#x ran %d times, want %d", at, got, want)
		}
	}
}

func TestParseRefusesWhatItWouldMisread(t *testing.T) {
	for name, c := range map[string]struct{ old, new string }{
		"no addresses":      {"positions: instr line", "positions: line"},
		"another event":     {"events: Ir", "events: Cycles"},
		"another binary":    {"ob=/tmp/program", "ob=/tmp/else"},
		"compressed":        {"0x2004 21 50", "0x2004 *"},
		"a count that isnt": {"0x2004 21 50", "0x2004 21 x"},
	} {
		if _, err := parse(strings.NewReader(strings.Replace(output, c.old, c.new, 1)), "bin/program"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAtomicInstructionsAreKnown(t *testing.T) {
	for name, c := range map[string]struct {
		code []byte
		want bool
	}{
		"LOCK XADDL":          {[]byte{0xf0, 0x0f, 0xc1, 0x08}, true},
		"LOCK XADDQ":          {[]byte{0xf0, 0x48, 0x0f, 0xc1, 0x08}, true},
		"LOCK CMPXCHGL":       {[]byte{0xf0, 0x0f, 0xb1, 0x11}, true},
		"LOCK ORL":            {[]byte{0xf0, 0x09, 0x08}, true},
		"XCHGQ with memory":   {[]byte{0x48, 0x87, 0x18}, true},
		"XCHGL of registers":  {[]byte{0x87, 0xd0}, false},
		"XADDL without LOCK":  {[]byte{0x0f, 0xc1, 0x08}, false},
		"MOVQ":                {[]byte{0x48, 0x8b, 0x08}, false},
		"CMPXCHG without one": {[]byte{0x0f, 0xb1, 0x11}, false},
	} {
		inst, err := x86asm.Decode(c.code, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := atomic(inst); got != c.want {
			t.Errorf("%s (%s): atomic %t, want %t", name, inst, got, c.want)
		}
	}
}
