package fasthttp

import (
	"sync"
	"syscall"
)

// scrap is a buffer for bytes that nobody keeps, with what a call on a socket's
// descriptor has to say. A stop needs one for each of its connections, all at about
// the same time, so they are kept in scraps, and who takes one owns it until it puts
// it back.
type scrap struct {
	b   [4 << 10]byte
	n   int // received
	err error

	fd int // noted

	left    int  // to be discarded
	request bool // discarded was more than line ends

	f    func(s *scrap, fd int)
	call func(fd uintptr) // calls f: made once
}

var scraps = sync.Pool{New: func() any {
	s := new(scrap)
	s.call = func(fd uintptr) { s.f(s, int(fd)) } // #nosec G115
	return s
}}

func newScrap() *scrap {
	return scraps.Get().(*scrap) //nolint:forcetypeassert
}

// note is for control: it only says which descriptor it is.
func (s *scrap) note(fd int) { s.fd = fd }

// control calls f with a socket's descriptor, as RawConn.Read would refuse to after an
// expired deadline. f must be a function of the package, or a method: a closure would be
// made for each call.
func (s *scrap) control(sock syscall.Conn, f func(s *scrap, fd int)) error {
	raw, err := sock.SyscallConn()
	if err != nil {
		return err
	}
	s.f = f
	return raw.Control(s.call)
}
