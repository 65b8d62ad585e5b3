package signals

import (
	"debug/elf"
	"debug/gosym"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
)

// image is a binary as it would lie in memory.
type image struct {
	arch  string // as GOARCH has it, empty if it is another one
	parts []part
	// relocated are words that the dynamic loader would write.
	relocated map[uint64]uint64
	funcs     []gosym.Func // by address
}

// part is a piece of it that the file holds.
type part struct {
	addr uint64
	data []byte
}

// maxPart bounds a part, in bytes: a damaged header shall not ask for more.
const maxPart = 1 << 30

var errFormat = errors.New("neither ELF, Mach-O nor PE")

// open reads a binary of 64 bits, little endian.
func open(file string) (*image, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	im := &image{relocated: map[uint64]uint64{}}
	magic := make([]byte, 4)
	if _, err := f.ReadAt(magic, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", file, errFormat)
	}
	switch {
	case string(magic) == elf.ELFMAG:
		err = im.readELF(f)
	case magic[0] == 'M' && magic[1] == 'Z':
		err = im.readPE(f)
	case binary.LittleEndian.Uint32(magic) == macho.Magic64:
		err = im.readMachO(f)
	default:
		err = errFormat
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return im, nil
}

func (im *image) add(addr uint64, size uint64, r io.Reader) error {
	if size == 0 {
		return nil
	}
	if size > maxPart {
		return fmt.Errorf("a section of %d bytes", size)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return err
	}
	im.parts = append(im.parts, part{addr, data})
	return nil
}

func (im *image) readELF(f *os.File) error {
	file, err := elf.NewFile(f)
	if err != nil {
		return err
	}
	switch file.Machine {
	case elf.EM_X86_64:
		im.arch = "amd64"
	case elf.EM_AARCH64:
		im.arch = "arm64"
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD {
			if err := im.add(p.Vaddr, p.Filesz, p.Open()); err != nil {
				return err
			}
		}
	}
	// Of a position-independent binary the words that hold addresses are zero
	// in the file; what they will be, apart from the base, are addends.
	for _, s := range file.Sections {
		if s.Type != elf.SHT_RELA || s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		data, err := s.Data()
		if err != nil {
			return err
		}
		for ; len(data) >= 24; data = data[24:] {
			kind := uint32(binary.LittleEndian.Uint64(data[8:]))
			if kind == uint32(elf.R_X86_64_RELATIVE) && im.arch == "amd64" || kind == uint32(elf.R_AARCH64_RELATIVE) && im.arch == "arm64" {
				im.relocated[binary.LittleEndian.Uint64(data)] = binary.LittleEndian.Uint64(data[16:])
			}
		}
	}
	return nil
}

func (im *image) readMachO(f *os.File) error {
	file, err := macho.NewFile(f)
	if err != nil {
		return err
	}
	switch file.Cpu {
	case macho.CpuAmd64:
		im.arch = "amd64"
	case macho.CpuArm64:
		im.arch = "arm64"
	}
	for _, l := range file.Loads {
		if s, ok := l.(*macho.Segment); ok && s.Name != "__LINKEDIT" && s.Name != "__DWARF" {
			if err := im.add(s.Addr, min(s.Filesz, s.Memsz), s.Open()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (im *image) readPE(f *os.File) error {
	file, err := pe.NewFile(f)
	if err != nil {
		return err
	}
	var base uint64
	switch h := file.OptionalHeader.(type) {
	case *pe.OptionalHeader64:
		base = h.ImageBase
	default:
		return nil
	}
	switch file.Machine {
	case pe.IMAGE_FILE_MACHINE_AMD64:
		im.arch = "amd64"
	case pe.IMAGE_FILE_MACHINE_ARM64:
		im.arch = "arm64"
	}
	for _, s := range file.Sections {
		if s.Characteristics&pe.IMAGE_SCN_MEM_DISCARDABLE != 0 {
			continue // what a debugger reads
		}
		if err := im.add(base+uint64(s.VirtualAddress), uint64(min(s.Size, s.VirtualSize)), s.Open()); err != nil {
			return err
		}
	}
	return nil
}

// bytes is what lies at an address, up to the end of its part.
func (im *image) bytes(addr uint64) []byte {
	for _, p := range im.parts {
		if addr >= p.addr && addr-p.addr < uint64(len(p.data)) {
			return p.data[addr-p.addr:]
		}
	}
	return nil
}

// word is the word at an address, false if the file does not say.
func (im *image) word(addr uint64) (uint64, bool) {
	if v, ok := im.relocated[addr]; ok {
		return v, true
	}
	data := im.bytes(addr)
	if len(data) < 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(data), true
}

// code is the machine code of a function.
func (im *image) code(f *gosym.Func) []byte {
	data := im.bytes(f.Entry)
	return data[:min(uint64(len(data)), f.End-f.Entry)]
}

// pointed is which of the addresses stand in a word of the image: a function has
// its own in one if it is used as a value, and in the table of a type with an
// interface that it is a method of.
func (im *image) pointed(addrs map[uint64]bool) map[uint64]bool {
	found := map[uint64]bool{}
	for _, v := range im.relocated {
		if addrs[v] {
			found[v] = true
		}
	}
	for _, p := range im.parts {
		first := -p.addr & 7 // words are aligned
		for at := first; at+8 <= uint64(len(p.data)); at += 8 {
			if v := binary.LittleEndian.Uint64(p.data[at:]); addrs[v] {
				found[v] = true
			}
		}
	}
	return found
}

// at is the function that begins at an address, nil if none does.
func (im *image) at(addr uint64) *gosym.Func {
	i := sort.Search(len(im.funcs), func(i int) bool { return im.funcs[i].Entry >= addr })
	if i < len(im.funcs) && im.funcs[i].Entry == addr {
		return &im.funcs[i]
	}
	return nil
}

// within says whether an address is in a function whose name begins so.
func (im *image) within(addr uint64, prefix string) bool {
	i := sort.Search(len(im.funcs), func(i int) bool { return im.funcs[i].End > addr })
	return i < len(im.funcs) && im.funcs[i].Entry <= addr && strings.HasPrefix(im.funcs[i].Name, prefix)
}

// named is the function of a name, nil if the binary has none.
func (im *image) named(name string) *gosym.Func {
	for i := range im.funcs {
		if im.funcs[i].Name == name {
			return &im.funcs[i]
		}
	}
	return nil
}
