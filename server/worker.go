package fasthttp

import "net"

// handOver gives an accepted connection to a worker, counted from before: a
// drain must not find the table empty while a connection is on its way.
func (s *Server) handOver(wp *workerPool, c net.Conn) bool {
	t := s.connTable()
	t.open.Add(1)
	if wp.Serve(c) {
		return true
	}
	t.left()
	return false
}

// serve is a worker's turn with a connection. The worker keeps the record from
// connection to connection; it has none in a pool without a Server.
func (wp *workerPool) serve(c net.Conn, dc *drainConn) (*drainConn, error) {
	if wp.server == nil {
		return nil, wp.WorkerFunc(c)
	}
	if dc == nil {
		dc = drainConnPool.Get().(*drainConn) //nolint:forcetypeassert
	}
	dc.start(wp.server, c, true)
	return dc, wp.server.serveConnCounted(c, true, dc)
}

// lend makes room for n workers less, or more.
func (wp *workerPool) lend(n int) {
	wp.lock.Lock()
	wp.workersCount += n
	wp.lock.Unlock()
}

// serveConn serves a connection and leaves it open, as upstream's does. Only
// upstream's tests call it: the workers keep the record until the close.
func (s *Server) serveConn(c net.Conn) error {
	dc := s.track(c, false)
	defer dc.release()
	err := s.serveConnCounted(c, true, dc)
	dc.served = true
	return err
}
