package signals

import (
	"bytes"
	"debug/gosym"
	"encoding/binary"
	"errors"
	"slices"
)

// The first words of the table of functions, from Go 1.20 on and before it
// (runtime.pcHeader, internal/abi.CurrentPCLnTabMagic).
var magics = [][]byte{{0xf1, 0xff, 0xff, 0xff, 0, 0}, {0xf0, 0xff, 0xff, 0xff, 0, 0}}

// The words of runtime.moduledata that are needed here: the slices
// funcnametab, cutab, filetab, pctab, pclntable and ftab lie between the first
// and findfunctab. So it is from Go 1.18 to 1.26 at least.
const (
	moduleMinPC = 20
	moduleMaxPC = 21
	moduleText  = 22
)

var errNoTable = errors.New("no table of functions was found in it: it may be packed, or made by a compiler that is too old or too new")

// readFunctions finds the table of functions. Its place in the file has no name in
// all formats, so it is known by what it begins with, and by moduledata, which
// points to it and says where the code begins: with cgo that is not where the
// section begins.
func (im *image) readFunctions() error {
	for _, p := range im.parts {
		for _, magic := range magics {
			for at := 0; ; {
				i := bytes.Index(p.data[at:], magic)
				if i < 0 {
					break
				}
				at += i
				if im.readTable(p.addr+uint64(at), p.data[at:]) {
					return nil
				}
				at++
			}
		}
	}
	return errNoTable
}

func (im *image) readTable(addr uint64, table []byte) (ok bool) {
	if addr%8 != 0 || len(table) < 64 || table[7] != 8 {
		return false
	}
	text, ok := im.textOf(addr)
	if !ok {
		return false
	}
	// Of a damaged table gosym may panic.
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	t, err := gosym.NewTable(nil, gosym.NewLineTable(table, text))
	if err != nil || len(t.Funcs) == 0 {
		return false
	}
	im.funcs = t.Funcs
	slices.SortFunc(im.funcs, func(a, b gosym.Func) int {
		switch {
		case a.Entry < b.Entry:
			return -1
		case a.Entry > b.Entry:
			return 1
		}
		return 0
	})
	return true
}

// textOf is where the code of the module begins whose table lies at addr.
func (im *image) textOf(addr uint64) (uint64, bool) {
	plausible := func(module uint64) (uint64, bool) {
		low, _ := im.word(module + 8*moduleMinPC)
		high, _ := im.word(module + 8*moduleMaxPC)
		text, ok := im.word(module + 8*moduleText)
		return text, ok && text != 0 && text <= low && low < high && im.bytes(low) != nil
	}
	for at, v := range im.relocated {
		if v == addr {
			if text, ok := plausible(at); ok {
				return text, true
			}
		}
	}
	want := binary.LittleEndian.AppendUint64(nil, addr)
	for _, p := range im.parts {
		for at := 0; ; {
			i := bytes.Index(p.data[at:], want)
			if i < 0 {
				break
			}
			at += i
			if text, ok := plausible(p.addr + uint64(at)); ok {
				return text, true
			}
			at++
		}
	}
	return 0, false
}
