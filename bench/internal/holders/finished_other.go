//go:build !unix

package holders

import "net"

// finished cannot look here; clients find out by their next request.
func finished(net.Conn) bool { return false }
