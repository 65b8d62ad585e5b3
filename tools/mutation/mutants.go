package main

// mutant is a way to take the effect of a patch away.
type mutant struct {
	// patch is the name of its section in PATCHES.md.
	patch string

	// effect says what is missing then.
	effect string

	// without leaves the whole patch out.
	without bool

	edits []edit
}

// edit replaces a text that occurs exactly once: in the patch's section if file
// is empty, else in a file of server/.
type edit struct {
	file, old, new string
}

var mutants = []mutant{
	{
		patch: "server-fields", effect: "the fields of Drain are not read",
		edits: []edit{{"drain.go", "d.set = s.Drain\n", "d.set = Drain{OnPhase: s.Drain.OnPhase}\n"}},
	},
	{
		patch: "shutdown", effect: "Shutdown is upstream's", without: true,
		edits: []edit{
			{"shutdown.go", "func (s *Server) Shutdown() error", "func (s *Server) ourShutdown() error"},
			{"shutdown.go", "func (s *Server) ShutdownWithContext(", "func (s *Server) ourShutdownWithContext("},
		},
	},
	{
		patch: "serve", effect: "a Serve does not wait for a drain under way",
		edits: []edit{{"acceptqueue.go", "		if d == nil {\n			break\n", "		if d == nil || d != nil {\n			break\n"}},
	},
	{
		patch: "serve", effect: "the accept loop does not empty the queue",
		edits: []edit{{"internal/acceptqueue/queue.go", "	for timeouts := 0; q.more(); {\n", "	q.close(false, \"\")\n	for timeouts := 0; q.more(); {\n"}},
	},
	{
		patch: "serve", effect: "an ended Serve stays entered",
		edits: []edit{{"", "+defer leave()", "+_ = leave"}},
	},
	{
		patch: "serve", effect: "a connection is not counted on its way to its worker",
		edits: []edit{{"", "+s.handOver(ln, wp, c)", "+wp.Serve(&drainConn{Conn: c, s: s, d: s.currentDrain(), shard: new(connShard), pooled: true})"}},
	},
	{
		patch: "serve", effect: "the end of a connection is not reported",
		edits: []edit{{"drainconn.go", "		wp.connState = func(c net.Conn, state ConnState) { s.workerState(wp, c, state) }\n", ""}},
	},
	{
		patch: "serve", effect: "a connection leaves the table before its close",
		edits: []edit{{"drainconn.go", "		_ = dc.linger()\n		s.endRecord(dc, state)\n", "		before := *dc\n		s.endRecord(dc, state)\n		_ = before.linger()\n"}},
	},
	{
		patch: "serve", effect: "a linger holds its worker",
		edits: []edit{{"drainconn.go", "	wp.workersCount--\n", ""}},
	},
	{
		patch: "serve", effect: "a worker that has given up its slot goes on",
		edits: []edit{{"drainconn.go", "	runtime.Goexit()\n", "	runtime.Gosched()\n"}},
	},
	{
		patch: "serve", effect: "a worker closes at once",
		edits: []edit{{"linger.go", "	if dc.pooled {\n		dc.lingering = true\n		return nil\n", "	if dc.pooled {\n		return dc.Conn.Close()\n"}},
	},
	{
		patch: "serve", effect: "Serve returns at the beginning of its drain",
		edits: []edit{{"acceptqueue.go", "	if d := l.stopped; d != nil {\n", "	if d := l.stopped; false {\n"}},
	},
	{
		patch: "serve", effect: "a connection in the accept loop's hands is not waited for",
		edits: []edit{{"acceptqueue.go", "	l.inHand.Store(true)\n", ""}},
	},
	{
		patch: "serve-conn", effect: "the connection is not counted",
		edits: []edit{{"", "+dc := s.track(c)", "+dc := &drainConn{Conn: c, s: s, d: s.currentDrain(), shard: new(connShard)}"}},
	},
	{
		patch: "serve-conn", effect: "ServeConn closes at once",
		edits: []edit{{"", "+closeServed(&dc)", "+c.Close()"}},
	},
	{
		patch: "serve-conn", effect: "a panic does not take the connection out of the table",
		edits: []edit{
			{"", "+defer func() { dc.release() }()\n", ""},
		},
	},
	{
		patch: "serve-conn", effect: "the record ends after the last callback",
		edits: []edit{{"linger.go", "	*record = nil\n	defer dc.release()\n", ""}},
	},
	{
		patch: "serve-conn", effect: "the record of a hijacked connection ends after the callback that says so",
		edits: []edit{{"drainconn.go", "		*record = nil\n		dc.release()\n", ""}},
	},
	{
		patch: "record", effect: "a handler that ends its goroutine leaves its record",
		edits: []edit{{"drainconn.go", "	if !dc.served {\n		dc.release()\n", "	if !dc.served && false {\n		dc.release()\n"}},
	},
	{
		patch: "reject-linger", effect: "a refused connection is closed at once",
		edits: []edit{{"", "+s.closeRejected(c)", "+c.Close()"}},
	},
	{
		patch: "open-count", effect: "the count is upstream's",
		edits: []edit{{"", "+max(0, s.open.Load() - 1)", "+s.open.Load() - 1"}},
	},
	{
		patch: "record", effect: "the loop does not take the connection out of its record",
		edits: []edit{{"", "+c, dc := s.recordOf(c)", "+_, dc := s.recordOf(c)"}},
	},
	{
		patch: "record", effect: "the handshake is not kept within the window",
		edits: []edit{{"", "+dc.getNextProto()", "+s.getNextProto(c)"}},
	},
	{
		patch: "record", effect: "the record does not know the idle time",
		edits: []edit{{"", "+idleConnTime, ok := dc.idleWord()\n", "+idleConnTime, ok := new(atomic.Int64), true\n"}},
	},
	{
		patch: "record", effect: "the begin of the loop is not noted",
		edits: []edit{{"", "+dc.enterLoop(ctx)", "+_ = dc"}},
	},
	{
		patch: "record", effect: "a connection that has sent nothing is not told from an idle one",
		edits: []edit{{"serveconn.go", "	dc.idle.Store(neverIdle)\n", ""}},
	},
	{
		patch: "record", effect: "the end of the loop is not noted",
		edits: []edit{{"", "+dc.leaveLoop(br, bw, connectionClose, err)", "+_ = dc"}},
	},
	{
		patch: "final-read", effect: "the loop does not wait on under its window",
		edits: []edit{{"", "+if err = dc.peekFinal(br, err); err != nil && err != io.EOF {", "+if err != io.EOF {"}},
	},
	{
		patch: "final-read", effect: "a wait that begins after the stop has no window",
		edits: []edit{{"", "+if s.draining() { dc.beforeWait(br) }", "+_ = dc"}},
	},
	{
		patch: "final-read", effect: "nor with ReduceMemoryUsage",
		edits: []edit{{"", "+dc.acquireByteReader(&ctx)", "+acquireByteReader(&ctx)"}},
	},
	{patch: "going-active", effect: "nothing is asked when a request begins", without: true},
	{
		patch: "going-active", effect: "the drain's deadline stays on the request",
		edits: []edit{{"serveconn.go", "	_ = dc.Conn.SetReadDeadline(deadline)\n", "	_ = deadline\n"}},
	},
	{
		patch: "going-active", effect: "nothing is refused",
		edits: []edit{{"serveconn.go", "	if dc.d.set.Reject {\n", "	if dc.d.set.Reject && dc.ending == endRefused {\n"}},
	},
	{
		patch: "going-active", effect: "what is read on a closed connection is served",
		edits: []edit{{"serveconn.go", "	if dc.endWaiting(true) {\n", "	if dc.endWaiting(true) && dc.ending == endRefused {\n"}},
	},
	{
		patch: "going-active", effect: "a request of a final read has the Done of the running ones",
		edits: []edit{{"serveconn.go", "	dc.lateDone = true\n", ""}},
	},
	{patch: "close-decision", effect: "upstream decides", without: true},
	{
		patch: "close-decision", effect: "what has been received is not looked at",
		edits: []edit{{"finalread.go", "!time.Now().Before(dc.windowEnd()) || !dc.more(ctx, br, body)", "true"}},
	},
	{
		patch: "close-decision", effect: "a hijack is told to close",
		edits: []edit{{"", "hijackHandler != nil))", "false))"}},
	},
	{
		patch: "close-decision", effect: "requests of final reads are not counted",
		edits: []edit{{"serveconn.go", "	dc.countFinal()\n	return dc.ending", "	dc.final = false\n	return dc.ending"}},
	},
	{patch: "loop-end", effect: "upstream leaves the loop at the stop", without: true},
	{patch: "hijack", effect: "hijacked connections are not counted", without: true},
	{
		patch: "done", effect: "the ctx of a connection keeps the Done of another",
		edits: []edit{{"serveconn.go", "// in this order, see state\n	dc.bindDone(ctx)\n", "\n"}},
	},
	{
		patch: "done", effect: "the ctx after a timeout has no Done of its own",
		edits: []edit{{"", "+dc.bindDone(ctx)\n", "+_ = dc\n"}},
	},
	{
		patch: "done", effect: "all requests have the Server's Done",
		edits: []edit{{"", "+if done := ctx.done.Load(); done != nil { return *done }", "+_ = ctx.done.Load()"}},
	},
}
