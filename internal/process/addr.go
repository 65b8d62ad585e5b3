package process

import "net"

// FreeAddr returns an address on loopback that nobody listens on, for a program that
// cannot say where it listens.
func FreeAddr() (string, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}
