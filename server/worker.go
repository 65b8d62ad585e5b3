package fasthttp

import "net"

// handOver gives an accepted connection to a worker, counted from before: a
// drain must not find the table empty while a connection is on its way.
func (s *Server) handOver(wp *workerPool, c net.Conn) bool {
	t := s.connTable()
	t.admitted.Add(1)
	t.open.Add(1)
	if wp.Serve(c) {
		return true
	}
	t.admitted.Add(-1)
	t.left()
	return false
}

// serve is a worker's turn with a connection. The record it returns stays with
// the worker until the close; it is nil in a pool without a Server.
func (wp *workerPool) serve(c net.Conn) (*drainConn, error) {
	if wp.server == nil {
		return nil, wp.WorkerFunc(c)
	}
	dc := wp.server.track(c, true)
	return dc, wp.server.serveConnCounted(c, true, dc)
}

// finish closes a connection after a worker's turn.
func (wp *workerPool) finish(c net.Conn, dc *drainConn) {
	if dc != nil {
		dc.finish()
		return
	}
	_ = c.Close()
	wp.connState(c, StateClosed)
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
