package fasthttp

import (
	"bytes"
	"cmp"
	"path"
	"reflect"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
)

// Holder is a function of the application that handlers are in.
type Holder struct {
	// Function is the function as the runtime names it, such as
	// "main.(*api).report" or "example.com/shop/orders.Find.func1", File and Line
	// where it is.
	Function string
	File     string
	Line     int

	// Waits is what it waits in: the function at the top of the stack, such as
	// "database/sql.(*DB).conn", or where that is Function itself what the runtime
	// does for it: "chan receive", "chan send" or "select". It is empty if it runs.
	Waits string

	// Goroutines counts those that are in the function and wait there.
	Goroutines int
}

// Holders says which functions of the application the running handlers are in, and
// with them hijack handlers, the writers of [Response.SetBodyStreamWriter], and
// handlers that [TimeoutHandler] has answered for: what a drain waits for, by its
// name, the most frequent first. Of each stack it is the application's function
// that is nearest to the server, also if a router, a framework or middleware stands
// between them.
//
// The application's are the functions of package main, those of the main module, and
// those of the packages that app names, with what is below them ("example.com/shop").
// Of a stack without one it is the first that is neither of the server nor of the
// standard library.
//
// It asks the runtime for its goroutine profile, with all goroutines of the process,
// so what handlers of other Servers are in is there as well. The runtime does not
// tell since when. With 100,000 goroutines it takes 0.2 to 0.5 s on a machine with two
// cores, most of it while the others run: the profile stops the world at its beginning
// and at its end only (goroutineProfileWithLabelsConcurrent in runtime/mprof.go).
func (s *Server) Holders(app ...string) []Holder {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1)
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Path != "" {
		app = append(slices.Clone(app), info.Main.Path)
	}
	count := make(map[Holder]int)
	for line := range bytes.Lines(profile.Bytes()) {
		n, stack := profiled(string(line))
		if n == 0 {
			continue
		}
		if h, ok := holderOf(stack, app); ok {
			count[h] += n
		}
	}
	holders := make([]Holder, 0, len(count))
	for h, n := range count {
		h.Goroutines = n
		holders = append(holders, h)
	}
	slices.SortFunc(holders, func(a, b Holder) int {
		return cmp.Or(b.Goroutines-a.Goroutines, cmp.Compare(a.Function, b.Function),
			a.Line-b.Line, cmp.Compare(a.Waits, b.Waits))
	})
	return holders
}

// String is the holder for a log.
func (h Holder) String() string {
	text := strconv.Itoa(h.Goroutines) + " in " + h.Function + " (" + h.File + ":" + strconv.Itoa(h.Line) + ")"
	if h.Waits != "" {
		text += ", in " + h.Waits
	}
	return text
}

// profiled reads the line of a goroutine profile that says how many goroutines have
// a stack: "12 @ 0x47f1ae 0x4158ee". The stack is that of runtime.Callers. Of any
// other line n is 0.
func profiled(line string) (n int, stack []runtime.Frame) {
	number, addresses, ok := strings.Cut(strings.TrimSpace(line), " @ ")
	if n, _ = strconv.Atoi(number); !ok || n == 0 {
		return 0, nil
	}
	var pcs []uintptr
	for _, text := range strings.Fields(addresses) {
		pc, err := strconv.ParseUint(text, 0, 64)
		if err != nil {
			return 0, nil
		}
		pcs = append(pcs, uintptr(pc))
	}
	frames := runtime.CallersFrames(pcs)
	for more := len(pcs) > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		stack = append(stack, f)
	}
	return n, stack
}

// serverPackage is the path of this package.
var serverPackage = reflect.TypeFor[Server]().PkgPath()

// entries are in the names of the server's functions that call handlers of the
// application.
var entries = []string{
	".(*Server).serveConnCounted", ".hijackConnHandler", ".NewStreamReader.", ".TimeoutWithCodeHandler.",
}

// readers are what calls the Read of a connection: what is in one does not run.
var readers = []string{"bufio.(*Reader).", "crypto/tls.(*atLeastReader)."}

// holderOf finds the application's function in a stack, whose first frame is its top.
func holderOf(stack []runtime.Frame, app []string) (h Holder, ok bool) {
	entry := -1
	for i, f := range stack {
		if f.Function == serverPackage+".(*Server).Holders" {
			return Holder{}, false // who asks does not hold
		}
		if path.Dir(f.File) == serverDir && slices.ContainsFunc(entries, func(e string) bool { return strings.Contains(f.Function, e) }) {
			entry = i
		}
	}
	var found *runtime.Frame
	for i := entry - 1; i >= 0; i-- {
		f := &stack[i]
		pkg := packageOf(f.Function)
		switch {
		case ofServer(pkg), dependency(f.File):
		case beginsWith(f.Function, readers) && found == nil:
			return Holder{}, false
		case pkg == "main" || slices.ContainsFunc(app, func(p string) bool { return inModule(pkg, p) }):
			return holder(*f, stack), true
		}
		if found == nil && !standard(pkg) && !ofServer(pkg) {
			found = f
		}
	}
	if found == nil {
		return Holder{}, false
	}
	return holder(*found, stack), true
}

func holder(f runtime.Frame, stack []runtime.Frame) Holder {
	return Holder{Function: f.Function, File: f.File, Line: f.Line, Waits: waitsIn(f.Function, stack)}
}

// operations are the runtime's functions in which a function of the application
// waits without calling another.
var operations = map[string]string{
	"runtime.chanrecv1": "chan receive",
	"runtime.chanrecv2": "chan receive",
	"runtime.chansend1": "chan send",
	"runtime.selectgo":  "select",
	"runtime.block":     "select",
}

// waitsIn says what the top of a stack waits in.
func waitsIn(function string, stack []runtime.Frame) string {
	operation, waits := "", false
	for _, f := range stack {
		switch pkg := packageOf(f.Function); {
		case pkg == "runtime":
			waits = waits || f.Function == "runtime.gopark"
			operation = cmp.Or(operations[f.Function], operation)
		case pkg == "internal" || strings.HasPrefix(pkg, "internal/") || strings.Contains(f.Function, ".runtime_"):
		case !waits:
			return ""
		case f.Function == function:
			return operation
		default:
			return f.Function
		}
	}
	return operation
}

// packageOf is the path of a function's package.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	dot := strings.IndexByte(function[slash:], '.')
	if dot < 0 {
		return function
	}
	return strings.ReplaceAll(function[:slash+dot], "%2e", ".")
}

// standard says whether a package is one of the standard library: the first element
// of its path has no dot.
func standard(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".")
}

// serverDir is where the server's files were when it was compiled.
var serverDir = func() string {
	_, file, _, _ := runtime.Caller(0)
	return path.Dir(file)
}()

// dependency says whether a function's file is one of the server or of another
// module. Its name does not tell: a closure that was inlined bears that of the function
// that it was inlined into.
func dependency(file string) bool {
	return strings.Contains(file, "@v") || strings.Contains(file, "/vendor/") ||
		path.Dir(file) == serverDir && !strings.HasSuffix(file, "_test.go")
}

// ofServer says whether a package is one of the server's module, but not a test.
func ofServer(pkg string) bool {
	return inModule(pkg, serverPackage) && !strings.HasSuffix(pkg, "_test")
}

func inModule(pkg, path string) bool {
	return pkg == path || strings.HasPrefix(pkg, path+"/")
}

func beginsWith(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
