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

// unproved are patches that no mutant can be made of, and why.
var unproved = map[string]string{
	"go-brrr": "changes a requirement and no code: without it the module does not build where upstream's version of go-brrr cannot be had",
}

var mutants = []mutant{
	{
		patch: "server-fields", effect: "the fields of Drain are not read",
		edits: []edit{{"shutdown.go", "d.set = s.Drain\n", "d.set = Drain{OnPhase: s.Drain.OnPhase}\n"}},
	},
	{
		patch: "shutdown", effect: "Shutdown is upstream's",
		edits: []edit{
			{"", "@@ server.go (*Server).Shutdown drop @@\n", "@@ server.go (*Server).Shutdown @@\n return s.ShutdownWithContext(context.Background())\n+// upstream's\n"},
			{"", "@@ server.go (*Server).ShutdownWithContext drop @@\n", ""},
			{"shutdown.go", "func (s *Server) Shutdown() error", "func (s *Server) ourShutdown() error"},
			{"shutdown.go", "func (s *Server) ShutdownWithContext(", "func (s *Server) ourShutdownWithContext("},
			// Upstream's holds the lock that this one takes.
			{"acceptqueue.go", "func (s *Server) serveEnded(ln net.Listener) {\n", "func (s *Server) serveEnded(ln net.Listener) {\n	if s.Ready() {\n		return\n	}\n"},
		},
	},
	{
		patch: "serve", effect: "a Serve does not wait for a drain under way",
		edits: []edit{{"acceptqueue.go", "		if d == nil {\n			break\n", "		if d == nil || d != nil {\n			break\n"}},
	},
	{
		patch: "serve", effect: "a connection is not counted on its way to its worker",
		edits: []edit{
			{"", "+s.handOver(wp, c)", "+wp.Serve(c)"},
			{"worker.go", "dc.start(wp.server, c, true)", "dc.start(wp.server, c, false)"},
		},
	},
	{
		patch: "accept-queue", effect: "the accept loop does not empty the queue",
		edits: []edit{{"", "+s.accept(ln)", "+ln.Accept()"}},
	},
	{
		patch: "accept-queue", effect: "new handshakes go on beginning",
		edits: []edit{{"internal/acceptqueue/strategy.go", "	return newQuiet(poll)\n", "	return poll, \"\"\n"}},
	},
	{
		patch: "reject-linger", effect: "a refused connection is closed at once",
		edits: []edit{{"", "+s.closeRejected(c)", "+c.Close()"}},
	},
	{
		patch: "worker", effect: "a worker closes at once",
		edits: []edit{{"", "+if dc.finish(wp, c) { break }", "+_ = c.Close()\n+wp.connState(c, StateClosed)\n+dc.served = true\n+dc.end()"}},
	},
	{
		patch: "worker", effect: "a connection leaves the table before its close",
		edits: []edit{{"", "+if dc.finish(wp, c) { break }", "+dc.served = true\n+dc.end()\n+_ = c.Close()\n+wp.connState(c, StateClosed)"}},
	},
	{
		patch: "worker", effect: "a worker that lingers does not lend its slot",
		edits: []edit{{"", "+if dc.finish(wp, c) { break }", "+_ = dc.close(func(int) {})\n+dc.served = true\n+dc.end()\n+wp.connState(c, StateClosed)"}},
	},
	{
		patch: "serve-conn", effect: "ServeConn closes at once",
		edits: []edit{{"", "+dc.finishServeConn()", "+c.Close()\n+dc.served = true\n+s.setState(c, StateClosed)"}},
	},
	{
		patch: "serve-conn", effect: "a panic does not take the connection out of the table",
		edits: []edit{
			{"", "+defer dc.release()\n", ""},
			{"", "+dc.finishServeConn()", "+dc.finishServeConn()\n+dc.release()"},
		},
	},
	{
		patch: "record", effect: "the handshake is not kept within the window",
		edits: []edit{{"", "+dc.getNextProto()", "+s.getNextProto(c)"}},
	},
	{
		patch: "record", effect: "the record does not know the idle time",
		edits: []edit{{"", "+idleConnTime, ok := &dc.idle, true\n", "+idleConnTime, ok := new(atomic.Int64), true\n"}},
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
		edits: []edit{{"", "+if dc.draining() { dc.beforeWait(br.Buffered()) }", "+_ = dc"}},
	},
	{
		patch: "final-read", effect: "nor with ReduceMemoryUsage",
		edits: []edit{{"", "+dc.acquireByteReader(&ctx)", "+acquireByteReader(&ctx)"}},
	},
	{
		patch: "going-active", effect: "the drain's deadline stays on the request",
		edits: []edit{{"", "+if idleConnTime.Swap(0) < 0 && dc.begin(ctx, br, bw, connRequestNum) { break }", "+idleConnTime.Store(0)"}},
	},
	{patch: "close-decision", effect: "upstream decides", without: true},
	{patch: "loop-end", effect: "upstream leaves the loop at the stop", without: true},
	{patch: "hijack", effect: "hijacked connections are not counted", without: true},
	{
		patch: "done", effect: "the ctx after a timeout has no Done of its own",
		edits: []edit{{"", "+dc.bindDone(ctx)\n", "+_ = dc\n"}},
	},
	{
		patch: "done", effect: "all requests have the Server's Done",
		edits: []edit{{"", "+if done := ctx.done.Load(); done != nil { return *done }", "+_ = ctx.done.Load()"}},
	},
}
